"""Scenarios made in Python, and what stands for their parts."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from typing import Any

from ._core import Source
from ._values import Ron, flattened, ron, several

__all__ = ["Profiles", "Scenario"]


class Profiles:
    """Everybody's profiles from a data frame, as a scenario's population.

    `frame` is a DataFrame of pandas or polars, a table of pyarrow or DuckDB, anything else with `__arrow_c_stream__`, or
    a dictionary of columns. Its columns are those of a profile file, in any order: `prosumer` and `slot` (whole
    numbers, from 1), `pv_kwh` and `load_kwh` [kWh], `preference_pv` and `preference_grid` [CNY/kWh]; one row for each
    prosumer and slot. What is wrong with it is told when the scenario is made, with the place: line 2 is the first row.
    """

    def __init__(self, frame: Any, name: str = "profiles.csv") -> None:
        self.name = name
        self._source = Source()
        _give(self._source, name, frame)

    def __repr__(self) -> str:
        return f"Profiles({self.name!r})"


def _give(source: Source, name: str, frame: Any) -> None:
    if isinstance(frame, str):
        return source.give(name, frame)
    if hasattr(frame, "arrow") and not hasattr(frame, "__arrow_c_stream__"):
        frame = frame.arrow()
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        try:
            return source.give_frame(name, frame)
        except (ImportError, ValueError):
            # pandas speaks Arrow only where pyarrow is installed; and columns without a type are not understood by all.
            pass
    if isinstance(frame, Mapping):
        return source.give(name, _csv(frame))
    for method, how in (("to_pydict", {}), ("to_dict", {"as_series": False}), ("to_dict", {"orient": "list"})):
        try:
            return source.give(name, _csv(getattr(frame, method)(**how)))
        except (AttributeError, TypeError):
            continue
    raise TypeError(f"expected a data frame or a dictionary of columns, found {type(frame).__name__}")


def _csv(columns: Mapping[Any, Iterable[Any]]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    lists = [list(column) for column in columns.values()]
    lengths = {len(column) for column in lists}
    if len(lengths) > 1:
        lengths_by_name = ", ".join(f"{name}: {len(column)}" for name, column in zip(columns, lists, strict=True))
        raise ValueError(f"the columns are of different lengths: {lengths_by_name}")
    lines.writerows(zip(*lists, strict=True))
    return text.getvalue()


class Scenario:
    """A scenario: from a file, or made here; with any of its fields set.

        ms.Scenario("scenarios/5_prosumers.ron", mu=1)
        ms.Scenario(name="mine", population=ms.Profiles(frame), market={"slots": 96, "slot_length": "15min"})

    What is set is a knob (`mu`, `delay`, ...) or a field by its path, with `__` for the points: `market__slots=96`;
    dictionaries lead to several fields (`storage`, `market__calendar` and `market__imbalance` take a whole one, or `None`).
    Times are texts such as `"200ms"` or a `timedelta`. A value that is a variant of the scenario's language is a text:
    `learning={"choice_set": "Sample(16)"}`; inside of a list, a tuple or a whole dictionary it is a `ms.Ron`.
    docs/scenario.md has all fields.

    Everything is checked at once.

    Raises
    ------
    ScenarioError
        For the first mistake, with its place where it has one.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        /,
        *,
        name: str | None = None,
        population: Profiles | str | int | None = None,
        vary: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        if path is None:
            if name is None or population is None:
                raise TypeError("a scenario is made of a file, or of a name and a population")
            # A calendar says how many slots there are, which nothing else may have said before.
            market = dict(fields.pop("market", {}))
            calendar = fields.pop("market__calendar", market.pop("calendar", None))
            fields["market"] = market
            dated = f", market: (calendar: {ron(calendar, inside=True)})" if calendar is not None else ""
            text = f"Scenario(name: {ron(name, inside=True)}, population: {_population(population)}{dated})"
            self._base = Source(text=text)
        else:
            self._base = Source(file=os.fspath(path))
            if name is not None:
                fields["name"] = name
            if population is not None:
                fields["population"] = Ron(_population(population)) if isinstance(population, Profiles) else population
        if isinstance(population, Profiles):
            for file, given in population._source.data:
                self._base.give(file, given)
        self._settings: dict[str, list[str]] = {}
        self._set(fields, vary)
        self._resolved, self.warnings = self._source().resolved()

    @classmethod
    def from_ron(cls, text: str, *, data: Mapping[str, Any] | None = None) -> Scenario:
        """The scenario with this RON text; `data` are the files that it names, as texts or data frames."""
        made = cls.__new__(cls)
        made._base = Source(text=text)
        for file, frame in (data or {}).items():
            _give(made._base, file, frame)
        made._settings = {}
        made._resolved, made.warnings = made._source().resolved()
        return made

    def __str__(self) -> str:
        """The scenario as a run keeps it: with every field."""
        return self._resolved

    def __repr__(self) -> str:
        return self._resolved

    def _set(self, fields: Mapping[str, Any], vary: Mapping[str, Any] | None) -> None:
        for name, value in fields.items():
            for path, part in flattened(name.replace("__", "."), value):
                # What a list of a scenario holds is one value; only knobs are varied by lists.
                self._settings[path] = [ron(part)] if "." in path else several(path, part)
        for name, values in (vary or {}).items():
            path = name.replace("__", ".")
            self._settings[path] = several(path, values)

    def _source(self) -> Source:
        source = self._base.copy()
        for name, values in self._settings.items():
            source.set(name, values)
        return source

    def _with(self, fields: Mapping[str, Any], vary: Mapping[str, Any] | None) -> Source:
        other = Scenario.__new__(Scenario)
        other._base, other._settings = self._base, dict(self._settings)
        other._set(fields, vary)
        return other._source()


def _population(population: Profiles | str | int) -> str:
    match population:
        case Profiles():
            return f"Profiles({ron(population.name, inside=True)})"
        case int():
            return f"Synthetic(count: {population})"
        case _:
            return str(population)


def source_of(
    scenario: Scenario | str | os.PathLike[str], fields: Mapping[str, Any], vary: Mapping[str, Any] | None
) -> Source:
    """The scenario with these fields set and varied, on its way to the simulator."""
    if isinstance(scenario, Scenario):
        return scenario._with(fields, vary)
    bare = Scenario.__new__(Scenario)
    bare._base, bare._settings = Source(file=os.fspath(scenario)), {}
    bare._set(fields, vary)
    return bare._source()
