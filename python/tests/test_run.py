"""Runs from Python: the same as those of the command, to the byte."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, contents

import microgrid_sim as ms


def rows(run: ms.Run) -> list[str]:
    """Everything in the ledger of a run."""
    with sqlite3.connect(run.folder / "ledger.db") as ledger:
        return sorted(ledger.iterdump())


def command(sim: Path, *arguments: str) -> Path:
    done = subprocess.run([sim, *arguments, "--quiet", "--no-report"], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def test_a_run_is_that_of_the_command_to_the_byte(sim: Path, flagship: Path, tmp_path: Path) -> None:
    run = ms.run(flagship, out=tmp_path / "python", mu=[0, 1], delay="200ms", seed=7, market__slots=24)
    sets = ("--set", "mu=0,1", "--set", "delay=200ms", "--seed", "7", "--set", "market.slots=24")
    other = command(sim, str(flagship), "--out", str(tmp_path / "command"), *sets)
    mine, theirs = contents(run), contents(other)
    assert mine.keys() == theirs.keys() and {"ledger.db", "slots.csv", "kpis.json"} <= mine.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []
    assert run.manifest["inputs_sha256"] == json.loads((other / "manifest.json").read_text())["inputs_sha256"]


@pytest.mark.parametrize(
    "how", [{"jobs": 1, "shards": 3}, {"jobs": 2}, {"shards": "per-core"}, {"shards": "per-actor"}]
)
def test_how_it_is_played_changes_nothing(day: ms.Run, flagship: Path, tmp_path: Path, how: dict[str, Any]) -> None:
    run = ms.run(flagship, out=tmp_path, progress=False, **how)
    assert contents(run, ledger=False) == contents(day, ledger=False)
    # Cases that were played side by side lie elsewhere in the file.
    assert rows(run) == rows(day)


def test_table_1_comes_out(day: ms.Run) -> None:
    welfare = [case["open_slots"]["welfare_cny"] for case in day.kpis]
    assert welfare == pytest.approx([238.150, 313.125], abs=5e-4)
    assert day.kpis[1]["open_slots"]["p2g_welfare_cny"] == pytest.approx(209.647, abs=5e-4)
    assert [case["knobs"] for case in day.cases] == [{"mu": 0}, {"mu": 1}]


def test_a_run_is_opened_shown_reported_and_verified(day: ms.Run, capsys: pytest.CaptureFixture[str]) -> None:
    again = ms.open(day.folder)
    assert (again.name, again.status, again.folder) == ("5_prosumers", "finished", day.folder)
    again.show(17, case=2)
    assert "mean price 0.7000, equilibrium price 0.7000" in " ".join(capsys.readouterr().out.split())
    page = again.report()
    assert page.name == "report.html" and page.stat().st_size > 100_000
    covered = again.verify()
    assert [case["closed"] for case in covered] == [24, 24] and all(case["signatures"] > 300 for case in covered)
    found = again.stability(17)
    assert found["slot"] == [17, 17] and found["stable"] == ["Corner", "yes"]
    assert found["largest_root"][0] is None and found["largest_root"][1] < 1


def test_a_ledger_that_was_changed_does_not_verify(noon: Callable[..., ms.Scenario]) -> None:
    run = ms.run(noon(), out=None)
    assert run.verify()[0]["bills"] > 0
    with sqlite3.connect(run.folder / "ledger.db") as ledger:
        ledger.execute("UPDATE facts SET value = replace(value, '1', '2') WHERE key LIKE 'bill/%'")
    with pytest.raises(ms.LedgerError, match="case 1.*bill/12/"):
        run.verify()


def test_a_temporary_run_goes_with_its_object(noon: Callable[..., ms.Scenario]) -> None:
    run = ms.run(noon(), out=None)
    folder = run.folder
    assert len(run.slots) == 12
    del run
    assert not folder.exists()


def test_a_sweep_has_a_summary_and_pairs(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    run = ms.sweep(noon(), vary={"mu": [0, 0.5, 1], "delay": ["10ms", "20ms"]}, replicates=3, jobs=2, out=tmp_path)
    assert len(run.kpis) == 18 and len(run.summary) == 6
    assert run.summary["mu"] == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0] and run.summary["replicates"] == [3] * 6
    welfare = run.summary["welfare_cny_mean"]
    assert welfare[4] > welfare[0], "trust in local energy is worth something"
    assert {"mu", "delay"} == set(run.paired["knob"])


def test_a_sweep_has_as_many_replicates_as_its_scenario(noon: Callable[..., ms.Scenario]) -> None:
    assert len(ms.sweep(noon(replicates=2), vary={"mu": [0, 1]}, out=None).kpis) == 4
    assert len(ms.sweep(noon(replicates=2), vary={"mu": [0, 1]}, replicates=1, out=None).kpis) == 2


def test_the_page_s_scenario_is_one() -> None:
    market = {"slots": 96, "gate_closure": "14min", "slot_length": "15min", "open": (32, 80)}
    made = ms.Scenario(name="mine", population=10, market=market, learning={"choice_set": "Sample(16)"}, mu=[0, 1])
    assert 'slot_length: "15m"' in str(made)


def test_values_are_those_of_python(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    run = ms.run(noon(), out=tmp_path, delay=timedelta(milliseconds=20), mu=range(2), record="Slots", name="mine")
    assert run.folder.parent.name == "mine"
    assert 'delay: Constant("20ms")' in (run.folder / "scenario.ron").read_text()
    with pytest.raises(ms.ResultsError, match="was not recorded: its scenario has `record: Slots`"):
        _ = run.trades


def test_parts_that_are_there_or_not_are_taken_whole(noon: Callable[..., ms.Scenario]) -> None:
    stored = noon(storage={"capacity_kwh": 5, "power_kw": 2.5, "initial_kwh": 1})
    assert "capacity_kwh: 5.0" in str(stored) and "storage: None" in str(noon(storage=None))
    dated = noon(market={"calendar": {"start": "2024-03-30", "zone": "Europe/Berlin", "days": 1}})
    assert "2024-03-30" in str(dated)


def test_progress_is_told(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    told: list[tuple[int, ...]] = []
    ms.run(noon(), out=tmp_path, replicates=3, progress=lambda *at: told.append(at))
    assert told[-1] == (3, 3, 36, 36, 0)

    def tired(*_: int) -> None:
        raise ZeroDivisionError("no more")

    with pytest.raises(ZeroDivisionError, match="no more"):
        ms.run(noon(), out=tmp_path, replicates=50, progress=tired)


def test_ctrl_c_ends_a_run_tidily_and_it_is_resumed(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    whole = ms.run(noon(), out=tmp_path / "whole", replicates=20)

    def told(cases_done: int, *_: int) -> None:
        if cases_done >= 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        ms.run(noon(), out=tmp_path / "part", replicates=20, progress=told, jobs=1)
    assert any("was done before" in note for note in caught.value.__notes__)
    part = ms.open(tmp_path / "part" / "noon")
    assert part.status == "interrupted" and 2 <= len(part.kpis) < 20
    assert contents(ms.resume(part.folder), ledger=False) == contents(whole, ledger=False)


def test_other_threads_go_on_while_a_run_is_played(noon: Callable[..., ms.Scenario]) -> None:
    counted, over = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not over.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    ms.run(noon(), out=None, replicates=8)
    over.set()
    thread.join()
    assert counted > 20


def test_importing_takes_no_more_than_it_has_to() -> None:
    script = "import sys, microgrid_sim; print([name for name in ('pandas', 'numpy', 'tqdm', 'pyarrow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_package_s_version_is_that_of_the_simulator() -> None:
    assert f'version = "{ms.__version__}"' in (REPOSITORY / "Cargo.toml").read_text()
    assert os.path.isfile(ms.__file__)
