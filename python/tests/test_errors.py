"""What is wrong is told as the command tells it, with the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

import microgrid_sim as ms

COLUMNS = ("prosumer", "slot", "pv_kwh", "load_kwh", "preference_pv", "preference_grid")


def frame(**other: Any) -> dict[str, list[Any]]:
    """Two prosumers and two slots."""
    rows = [(1, 1, 3.0, 1.0, 2.0, 1.5), (1, 2, 0.0, 1.0, 2.0, 1.5), (2, 1, 0.0, 1.0, 2.0, 1.5), (2, 2, 0.0, 1.0, 2.0, 1.5)]
    columns: dict[str, list[Any]] = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
    return columns | other


def scenario(columns: Any, **fields: Any) -> ms.Scenario:
    return ms.Scenario(name="two", population=ms.Profiles(columns), market={"slots": 2, "open": (1, 2)}, **fields)


def test_a_mistake_in_a_file_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ron"
    path.write_text('Scenario(\n    name: "x",\n    population: Synthetic(cuont: 5),\n)\n')
    with pytest.raises(ms.ScenarioError, match="did you mean `count`") as caught:
        ms.run(path, out=tmp_path)
    assert (caught.value.path, caught.value.line, caught.value.column) == (str(path), 3, 27)
    assert isinstance(caught.value, ValueError)


def test_unknown_knobs_and_values_are_told(flagship: Path, tmp_path: Path) -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"muu": 1}, "did you mean `mu`"),
        ({"mu": 3}, "allowed: from 0 to 1"),
        ({"mu": []}, "mu: there is no value to take"),
        ({"delay": "fast"}, "delay"),
        ({"market__feed_in_tarif": 0.3}, "did you mean"),
        ({"mu": float("nan")}, "finite"),
    ]
    for wrong, said in wrongs:
        with pytest.raises(ValueError, match=said):
            ms.run(flagship, out=tmp_path, **wrong)
    with pytest.raises(TypeError, match="no value of type object"):
        ms.run(flagship, out=tmp_path, mu=object())
    hows: list[dict[str, Any]] = [{"jobs": 0}, {"shards": 0}, {"part": "3"}, {"format": "xlsx"}]
    for how in hows:
        with pytest.raises(ValueError, match=next(iter(how))):
            ms.run(flagship, out=tmp_path, **how)
    assert list(tmp_path.iterdir()) == [], "nothing was run"


@pytest.mark.parametrize("library", [dict, pandas.DataFrame, polars.DataFrame])
def test_a_frame_is_a_population(library: Callable[..., Any], tmp_path: Path) -> None:
    made = scenario(library(frame()))
    run = ms.run(made, out=tmp_path)
    assert run.slots["pv_kwh"] == [3.0, 0.0] and run.slots["sellers"] == [1, 0]


@pytest.mark.parametrize("library", [dict, pandas.DataFrame, polars.DataFrame])
@pytest.mark.parametrize(
    ("columns", "line", "said"),
    [
        (frame(pv_kwh=[3.0, float("nan"), 0.0, 0.0]), 3, "pv_kwh"),
        (frame(load_kwh=[1.0, 1.0, -1.0, 1.0]), 4, "load_kwh"),
        (frame(slot=[1, 1, 1, 2]), 3, "slot"),
        (frame(slot=[1, 2, 1, 3]), None, "slot"),
        (frame(load_kwh=["1.0", "much", "1.0", "1.0"]), 3, "load_kwh"),
        (frame(prosumer=[1.5, 1.5, 2.0, 2.0]), 2, "prosumer"),
        ({name: column for name, column in frame().items() if name != "load_kwh"}, 1, "load_kwh"),
        ({name: [] for name in COLUMNS}, None, "profiles.csv"),
    ],
)
def test_a_frame_with_a_mistake_is_refused_with_its_row_and_column(
    library: Callable[..., Any], columns: dict[str, list[Any]], line: int | None, said: str
) -> None:
    with pytest.raises(ms.ScenarioError, match=said) as caught:
        scenario(library(columns))
    assert caught.value.path == "profiles.csv"
    assert line is None or caught.value.line == line


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a data frame"):
        ms.Profiles(42)
    with pytest.raises(ValueError, match="different lengths"):
        ms.Profiles(frame(slot=[1]))
    with pytest.raises(TypeError, match="a name and a population"):
        ms.Scenario(name="x")


def test_no_run_is_there(tmp_path: Path) -> None:
    with pytest.raises(ms.ResultsError, match="is not there"):
        ms.open(tmp_path / "nowhere")


def test_what_a_scenario_says_in_vain_is_warned_of(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    with pytest.warns(ms.ScenarioWarning, match="MidMarketRate"):
        ms.run(noon(), out=tmp_path, mechanism="MidMarketRate", behaviour="Imitation")
