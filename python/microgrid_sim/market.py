"""A market that is played slot by slot."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from . import _core
from ._core import Table
from .rules import Bidder, ChoiceRule, PricingRule
from .run import Run, owners, warn
from .scenario import Scenario, source_of

__all__ = ["Market", "Step"]

Amounts = Mapping[int, float] | Sequence[float] | None


@dataclass(frozen=True)
class Step:
    """What has become of a slot."""

    slot: int
    """Its number, from 1."""
    row: dict[str, Any]
    """The slot at a glance: the columns of `slots.csv`."""
    prosumers: Table
    """What it was for each prosumer: the columns of `prosumers.csv`."""
    trades: Table
    """Who got what from whom: the columns of `trades.csv`."""

    @property
    def outcome(self) -> str:
        """How the market ended, such as `Equilibrium` or `NoMarket`."""
        return str(self.row["outcome"])

    @property
    def price(self) -> float | None:
        """Mean price of the trades [CNY/kWh]; `None` without any."""
        price = self.row["price_mean_cny_per_kwh"]
        return None if price is None else float(price)

    @property
    def residuals(self) -> dict[int, float]:
        """What each prosumer draws from the grid less what it feeds in [kWh], by its number: positive draws."""
        drawn, fed_in = self.prosumers["grid_import_kwh"], self.prosumers["grid_export_kwh"]
        return {number: a - b for number, a, b in zip(self.prosumers["prosumer"], drawn, fed_in, strict=True)}


class Market:
    """A market that is played slot by slot, with what somebody else says of each slot as it comes.

        with ms.Market("scenarios/5_prosumers.ron", mu=1) as market:
            for _ in range(market.slots):
                step = market.step(load={3: 1.2}, generation={1: 0.8})
                print(step.slot, step.price, step.residuals)
        market.run.verify()

    What is not said of a prosumer's slot is as the scenario has it. Everything else goes on as in a run: prices may begin
    where they ended the slot before, storages keep what they hold, and the ledger and all tables are written. The folder
    keeps the profiles that were played, as `played_profiles.csv`; a run of a scenario with these leaves the same ledger.

    Parameters
    ----------
    scenario
        The path of a RON file, or a `Scenario`; with one case.
    out, format, shards, pricing, choice, bidder, **knobs
        As those of `microgrid_sim.run`.
    """

    def __init__(
        self,
        scenario: Scenario | str | os.PathLike[str],
        *,
        out: str | os.PathLike[str] | None = "results",
        format: str = "csv",
        shards: int | str | None = None,
        pricing: PricingRule | Mapping[int, PricingRule] | None = None,
        choice: ChoiceRule | Mapping[int, ChoiceRule] | None = None,
        bidder: Bidder | Mapping[int, Bidder] | None = None,
        **knobs: Any,
    ) -> None:
        source = source_of(scenario, knobs, None)
        warn(source)
        self.slots: int
        """How many slots there are."""
        self.prosumers: list[int]
        """The prosumers' numbers."""
        self.slots, self.prosumers = source.shape()
        self._numbers = frozenset(self.prosumers)
        self.slot = 1
        """Number of the slot that is played next."""
        self._run: Run | None = None
        self._temporary = tempfile.TemporaryDirectory(prefix="microgrid-sim-") if out is None else None
        self._stepper = _core.Stepper(
            source,
            self._temporary.name if self._temporary else os.fspath(out or ""),
            format=format,
            shards=None if shards is None else str(shards),
            owned=owners(pricing, choice, bidder),
        )

    @property
    def done(self) -> bool:
        """Whether all slots were played."""
        return self.slot > self.slots

    def step(self, load: Amounts = None, generation: Amounts = None) -> Step:
        """Plays the next slot, with what each prosumer would like to use and what it generates [kWh].

        Each is a mapping from the prosumers' numbers, or a sequence with an entry for each in the order of
        `prosumers`; what is left out, `None` or NaN is as the scenario has it.

        Raises
        ------
        ValueError
            If an energy is below zero or not finite, or there is no such prosumer: the slot is not played then.
        RuntimeError
            If all slots were played, or the market was closed.
        """
        said: dict[int, list[float | None]] = {}
        for place, (what, amounts) in enumerate((("generation", generation), ("load", load))):
            for number, amount in self._amounts(what, amounts):
                said.setdefault(number, [None, None])[place] = amount
        row, prosumers, trades = self._stepper.step([(number, of[0], of[1]) for number, of in said.items()])
        step = Step(self.slot, row.rows()[0], prosumers, trades)
        self.slot += 1
        return step

    def _amounts(self, what: str, amounts: Amounts) -> list[tuple[int, float]]:
        if amounts is None:
            return []
        if isinstance(amounts, Mapping):
            pairs = [(int(number), amount) for number, amount in amounts.items()]
        else:
            values = list(amounts)
            if len(values) != len(self.prosumers):
                wanted = f"expected {len(self.prosumers)} values, one a prosumer, found {len(values)}"
                raise ValueError(f"slot {self.slot}, {what}: {wanted}")
            pairs = list(zip(self.prosumers, values, strict=True))
        found = []
        for number, amount in pairs:
            if number not in self._numbers:
                raise ValueError(f"slot {self.slot}, {what}: there is no prosumer {number}")
            if amount is None or math.isnan(amount):
                continue
            if not 0.0 <= amount <= 1e4:
                raise ValueError(
                    f"slot {self.slot}, {what} of prosumer {number}: {amount} kWh, allowed: from 0 to 10000"
                )
            found.append((number, float(amount)))
        return found

    def close(self) -> Run:
        """Ends the market, early if slots are left, and returns its run."""
        if self._run is None:
            folder = self._stepper.close()
            assert folder is not None
            self._run = Run(folder)
            self._run._temporary = self._temporary
        return self._run

    @property
    def run(self) -> Run:
        """The run, once the market is over; asking for it ends the market."""
        return self.close()

    def __enter__(self) -> Market:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
