"""Markets that are played slot by slot."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import polars
import pytest
from conftest import REPOSITORY, contents

import microgrid_sim as ms

HOW = {"played_profiles.csv", "scenario.ron", "data/5_prosumers.csv", "data/profiles.csv"}


def profiles(run: ms.Run) -> dict[int, dict[int, tuple[float, float]]]:
    """Generation and load of every prosumer, by slots."""
    found: dict[int, dict[int, tuple[float, float]]] = {}
    for row in run.prosumers.rows():
        if row["case"] == 1:
            found.setdefault(row["slot"], {})[row["prosumer"]] = (row["pv_kwh"], row["load_kwh"])
    return found


def same(run: ms.Run, other: ms.Run) -> None:
    mine, theirs = ({name: of for name, of in contents(of).items() if name not in HOW} for of in (run, other))
    assert mine.keys() == theirs.keys() and "ledger.db" in mine
    assert [name for name in mine if mine[name] != theirs[name]] == []


@pytest.mark.parametrize("shards", [1, 3])
def test_a_market_that_is_stepped_leaves_the_ledger_of_a_run(flagship: Path, tmp_path: Path, shards: int) -> None:
    whole = ms.run(flagship, out=tmp_path / "whole", mu=1)
    known = profiles(whole)
    with ms.Market(flagship, out=tmp_path / "stepped", mu=1, shards=shards) as market:
        assert (market.slots, market.prosumers, market.done) == (24, [1, 2, 3, 4, 5], False)
        steps = []
        for slot in range(1, market.slots + 1):
            generation = {number: of[0] for number, of in known[slot].items()}
            steps.append(market.step(load=[of[1] for of in known[slot].values()], generation=generation))
            assert steps[-1].slot == slot and market.slot == slot + 1
        assert market.done
    same(market.run, whole)
    assert market.run.status == "finished" and market.run.verify()[0]["closed"] == 24
    assert [step.price for step in steps] == whole.slots["price_mean_cny_per_kwh"]
    noon = steps[16]
    assert noon.outcome == "Equilibrium" and noon.price == pytest.approx(0.7, abs=1e-4)
    assert len(noon.trades) == 6 and sum(noon.trades["traded_kwh"]) == pytest.approx(3.6, abs=1e-2)
    assert sum(noon.residuals.values()) == pytest.approx(noon.row["grid_import_kwh"] - noon.row["grid_export_kwh"])


def test_what_is_said_is_played_and_can_be_played_again(flagship: Path, tmp_path: Path) -> None:
    market = ms.Market(flagship, out=tmp_path / "stepped", mu=1)
    price = 0.5
    while not market.done:
        step = market.step(load={3: 2.0 - price, 4: math.nan}, generation={1: 0.25})
        price = step.price or price
        assert dict(zip(step.prosumers["prosumer"], step.prosumers["pv_kwh"], strict=True))[1] == 0.25
    stepped = market.close()
    played = polars.read_csv(stepped.folder / "played_profiles.csv")
    scenario = ms.Scenario(flagship, population=ms.Profiles(played), mu=1)
    same(ms.run(scenario, out=tmp_path / "again"), stepped)


def test_who_says_nothing_has_what_the_scenario_says(flagship: Path, tmp_path: Path) -> None:
    whole = ms.run(flagship, out=tmp_path / "whole", mu=1)
    with ms.Market(flagship, out=tmp_path / "stepped", mu=1) as market:
        while not market.done:
            market.step()
    same(market.run, whole)


def test_what_cannot_be_is_refused_and_the_slot_is_not_played(flagship: Path) -> None:
    with ms.Market(flagship, out=None, mu=1) as market:
        for wrong, said in [
            ({"load": {9: 1.0}}, "slot 1, load: there is no prosumer 9"),
            ({"load": {1: -1.0}}, "slot 1, load of prosumer 1: -1.0 kWh"),
            ({"generation": {1: math.inf}}, "slot 1, generation of prosumer 1: inf kWh"),
            ({"load": [1.0]}, "expected 5 values, one a prosumer, found 1"),
        ]:
            with pytest.raises(ValueError, match=said):
                market.step(**wrong)  # type: ignore[arg-type]
        assert market.step().slot == 1
    assert market.run.status == "interrupted" and len(market.run.slots) == 1
    with pytest.raises(RuntimeError, match="the market is over"):
        market.step()


def test_a_market_of_several_cases_is_refused(flagship: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a partner takes part in one case, and there are 2"):
        ms.Market(flagship, out=tmp_path)
    with pytest.raises(ms.ScenarioError, match="did you mean `mu`"):
        ms.Market(flagship, out=tmp_path, muu=1)
    assert list(tmp_path.iterdir()) == []


def test_rules_take_part_and_what_they_raise_ends_the_market(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    class Fails(ms.PricingRule):
        def next_price(self, offer: ms.Offer) -> float:
            raise ZeroDivisionError("oh")

    market = ms.Market(noon(), out=tmp_path, pricing=Fails())
    for _ in range(11):
        market.step()
    with pytest.raises(ms.RuleError, match="slot 12: ZeroDivisionError: oh"):
        market.step()
    assert market.run.status == "failed" and len(market.run.slots) == 11


def test_a_market_that_is_forgotten_ends() -> None:
    market = ms.Market(REPOSITORY / "scenarios" / "5_prosumers.ron", out=None, mu=1)
    market.step()
    del market
