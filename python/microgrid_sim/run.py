"""Runs and what they leave."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
import webbrowser
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from . import _core
from ._core import Table
from ._progress import Bar
from .errors import ScenarioWarning
from .rules import Bidder, ChoiceRule, PricingRule
from .scenario import Scenario, source_of

__all__ = ["Run", "open_run", "resume", "run", "stability", "sweep"]

Tell = Callable[[int, int, int, int, int], object]


TABLES = (
    *("slots", "ages", "prosumers", "trades", "convergence", "ledger", "clearings", "bills", "days", "months"),
    *("summary", "paired"),
)


class Run:
    """A run's folder, read back. Tables are read when they are first asked for; a table that the run does not keep, or
    that is damaged, raises a `ResultsError`. docs/results.md explains every file and column."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        text, folder = _core.read_json(os.fspath(path), "manifest.json")
        self.folder: Path = Path(folder)
        """Where the run is."""
        self.manifest: dict[str, Any] = json.loads(text)
        """What was run, when, and how it ended."""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return str(self.manifest["scenario"])

    @property
    def status(self) -> str:
        """How it has ended: `finished`, `interrupted`, `failed` or, if it has not, `unfinished`."""
        return str(self.manifest["status"])

    @property
    def cases(self) -> list[dict[str, Any]]:
        """All cases: number, varied knobs, seed and the slots in which the market is open."""
        return list(self.manifest["cases"])

    @cached_property
    def kpis(self) -> list[dict[str, Any]]:
        """The key figures of every case that is done: totals [kWh, CNY], shares, and `open_slots` and `all_slots` beside
        P2G, the same without a local market."""
        return list(json.loads(_core.read_kpis(self.folder)))

    def table(self, name: str) -> Table:
        """The table in the file of this name, without its ending: `slots`, `trades`, ..."""
        if name not in TABLES:
            raise ValueError(f"there is no table {name!r}; there are {', '.join(TABLES)}")
        return _core.read_table(self.folder, name)

    @cached_property
    def slots(self) -> Table:
        """Every slot at a glance: a row for each case and slot."""
        return self.table("slots")

    @cached_property
    def trades(self) -> Table:
        """What every buyer wanted of every seller, and got: energies [kWh], prices [CNY/kWh], payments [CNY]."""
        return self.table("trades")

    @cached_property
    def prosumers(self) -> Table:
        """Every prosumer's slots: energies [kWh], money and welfare [CNY]."""
        return self.table("prosumers")

    @cached_property
    def convergence(self) -> Table:
        """How prices [CNY/kWh], shares and demands [kWh] moved, round by round."""
        return self.table("convergence")

    @cached_property
    def ages(self) -> Table:
        """How old the news was that was decided on [s]."""
        return self.table("ages")

    @cached_property
    def ledger(self) -> Table:
        """What each channel of the ledger carried."""
        return self.table("ledger")

    @cached_property
    def clearings(self) -> Table:
        """What mechanisms that clear by a rule of their own have announced and executed."""
        return self.table("clearings")

    @cached_property
    def bills(self) -> Table:
        """What every prosumer's months came to [CNY]."""
        return self.table("bills")

    @cached_property
    def days(self) -> Table:
        """What all prosumers' days came to."""
        return self.table("days")

    @cached_property
    def months(self) -> Table:
        """What all prosumers' months came to."""
        return self.table("months")

    @cached_property
    def summary(self) -> Table:
        """What each combination of the varied knobs came to over its replicates: mean, standard deviation, 95 % interval
        and count of every measure."""
        return self.table("summary")

    @cached_property
    def paired(self) -> Table:
        """What turning each knob changed, seed by seed."""
        return self.table("paired")

    def show(self, slot: int | str | None = None, *, member: str | None = None, case: int | None = None) -> None:
        """Prints what `sim show` does: the run, a slot by its number or the time at which it begins, or a member's bills."""
        print(_core.show(self.folder, None if slot is None else str(slot), member, case), end="")

    def report(self, *, open: bool = False) -> Path:
        """Makes `report.html` and the figures; opens the page in a browser if that is asked for. Returns its path."""
        page = Path(_core.report(self.folder))
        if open:
            webbrowser.open(page.as_uri())
        return page

    def verify(self) -> list[dict[str, Any]]:
        """Replays the ledger and checks every signature, rule and bill; returns what was covered, by case.

        Raises
        ------
        LedgerError
            For the first discrepancy, with its place.
        """
        return list(_core.verify(self.folder))

    def stability(self, slot: int | None = None) -> Table:
        """What linear theory says of the scenario's game; see `microgrid_sim.stability`."""
        return _core.stability(source_of(self.folder / "scenario.ron", {}, None), slot)

    def __repr__(self) -> str:
        cases = self.manifest["case_count"]
        return f"<Run of {self.name}, {cases} {'case' if cases == 1 else 'cases'}, {self.status}: {self.folder}>"


def open_run(path: str | os.PathLike[str]) -> Run:
    """Opens the run in a folder, which is the run's or the scenario's, whose newest run it then is.

    Raises
    ------
    ResultsError
        If there is none.
    """
    return Run(path)


def run(
    scenario: Scenario | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = "results",
    vary: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    shards: int | str | None = None,
    format: str = "csv",
    part: str | None = None,
    resume: bool = False,
    pricing: PricingRule | Mapping[int, PricingRule] | None = None,
    choice: ChoiceRule | Mapping[int, ChoiceRule] | None = None,
    bidder: Bidder | Mapping[int, Bidder] | None = None,
    progress: bool | Tell | None = None,
    **knobs: Any,
) -> Run:
    """Runs a scenario, and returns the run.

        run = ms.run("scenarios/5_prosumers.ron", mu=[0, 1], delay="200ms", seed=7)
        run.slots.to_pandas()

    Every knob that `sim` sets with `--set` is an argument, and so is any other field of a scenario by its path, with
    `__` for the points (`market__feed_in_tariff=0.3`). A list, a range or an array varies a knob: one case for each
    combination; `vary` does so with any field. Times are texts such as `"200ms"`, or a `timedelta`.

    The run is the same, to the byte, as that of the command `sim` with the same settings, on any machine. Ctrl-C ends
    it with a `KeyboardInterrupt`, once a rule that is being asked has answered, and leaves a run that `ms.resume` finishes
    if it has no rules of its own.

    Parameters
    ----------
    scenario
        The path of a RON file, or a `Scenario`.
    out
        Below this folder the run gets a folder of its own, `<name>/<time>-seed<seed>`; `None` for a temporary one,
        which goes with the `Run`.
    vary
        Knobs with the values that each is to take, for names that are no Python names or come from elsewhere.
    jobs
        How many cases run at a time; changes how long it takes, never the results.
    shards
        Among how many threads the actors of a case are divided: a number, `"per-core"` or `"per-actor"`; changes how long it
        takes, never the results.
    format
        Of the large tables on disk: `"csv"` or `"parquet"`.
    part
        `"3/20"` runs the third of twenty parts of the cases.
    resume
        Goes on with the newest run of the same scenario, if it was ended early.
    pricing, choice, bidder
        A rule by which all prosumers decide, or rules by the numbers of those who have them.
    progress
        `False` for no bar, or a function that is called with the numbers of cases done, of cases, of slots done, of
        slots, and of slots that were there before.
    **knobs
        What is set or varied in the scenario, such as `mu`, `delay`, `seed`, `replicates`.

    Raises
    ------
    ScenarioError
        If there is a mistake in the scenario or in what is set: before anything runs.
    RunError, RuleError
        If a case could not be played to its end, or a rule failed.
    """
    source = source_of(scenario, knobs, vary)
    warn(source)
    owned = owners(pricing, choice, bidder)
    temporary = tempfile.TemporaryDirectory(prefix="microgrid-sim-") if out is None else None
    made = _play(
        source,
        out=os.fspath(out) if out is not None else temporary.name if temporary else "",
        progress=progress,
        format=format,
        part=part,
        jobs=jobs,
        shards=None if shards is None else str(shards),
        resume=resume,
        owned=owned,
    )
    made._temporary = temporary
    return made


def sweep(
    scenario: Scenario | str | os.PathLike[str],
    *,
    vary: Mapping[str, Any],
    replicates: int | None = None,
    jobs: int | None = None,
    **others: Any,
) -> Run:
    """Runs a scenario for every combination of the values in `vary`, `replicates` times each with seeds of their own, or as
    often as the scenario says.

    `run.summary` has the means over the replicates, `run.paired` what turning each knob changed. All other arguments
    are those of `ms.run`.
    """
    if replicates is not None:
        others["replicates"] = replicates
    return run(scenario, vary=vary, jobs=jobs, **others)


def resume(
    path: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    shards: int | str | None = None,
    progress: bool | Tell | None = None,
) -> Run:
    """Runs what the run in a folder still lacks; one that is finished is left as it is."""
    begun = Run(path).folder
    source = source_of(begun / "scenario.ron", {}, None)
    return _play(
        source,
        out=os.fspath(begun),
        progress=progress,
        format="csv",
        part=None,
        jobs=jobs,
        shards=None if shards is None else str(shards),
        resume=True,
        owned=[],
        begun=True,
    )


def stability(scenario: Scenario | str | os.PathLike[str], slot: int | None = None, **knobs: Any) -> Table:
    """Does the game spiral in to its equilibrium, by linear theory, and how far is it from not doing so?

    A row for each open slot with a market, or for this one, of every combination of what is varied: the largest root of
    the linearised game (stable below 1), its period [rounds], and the critical steps, ages and delays. The table's
    `notes` say what the theory leaves out.
    """
    return _core.stability(source_of(scenario, knobs, None), slot)


def owners(*rules: object) -> list[tuple[str, list[int] | None, object]]:
    """Rules of prices, of choices and of orders, each with its class and whose it is: of all, or of one."""
    found: list[tuple[str, list[int] | None, object]] = []
    for kind, given in zip(("PricingRule", "ChoiceRule", "Bidder"), rules, strict=True):
        if isinstance(given, Mapping):
            found += [(kind, [int(number)], rule) for number, rule in given.items()]
        elif given is not None:
            found.append((kind, None, given))
    return found


def warn(source: _core.Source) -> None:
    """Warns of what the scenario says in vain."""
    _, found = source.resolved()
    for text in found:
        warnings.warn(text, ScenarioWarning, stacklevel=3)


def _play(source: _core.Source, *, progress: bool | Tell | None, begun: bool = False, **how: Any) -> Run:
    if callable(progress):
        return Run(_core.simulate(source, tell=progress, begun=begun, **how))
    if progress is False:
        return Run(_core.simulate(source, tell=None, begun=begun, **how))
    with Bar() as bar:
        return Run(_core.simulate(source, tell=bar, begun=begun, **how))
