"""Tables as other libraries take them: typed, and without a copy."""

from __future__ import annotations

import csv
import time
import duckdb
import pandas
import polars
import pyarrow
import pytest

import microgrid_sim as ms

TABLES = ("slots", "ages", "prosumers", "trades", "convergence", "ledger", "days")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_that_of_its_file(day: ms.Run, name: str) -> None:
    table = day.table(name)
    with (day.folder / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0]) and len(table) == len(rows)
    for name_, cells in zip(table.column_names, zip(*(row.values() for row in rows), strict=True), strict=True):
        for mine, theirs in zip(table[name_], cells, strict=True):
            assert (mine is None and theirs == "") or mine == type(mine)(theirs)
    assert table.rows()[0] == {column: table[column][0] for column in table.column_names}


def test_columns_are_typed_where_they_are_empty_too(day: ms.Run) -> None:
    schema = pyarrow.schema(day.prosumers)
    assert schema.field("case").type == pyarrow.uint32()
    for field in schema:
        assert field.type in (pyarrow.uint32(), pyarrow.uint64(), pyarrow.float64(), pyarrow.string_view())
    # Without a market there is no price.
    idle = ms.run(ms.Scenario(name="idle", population=3, market={"slots": 1, "open": (1, 1)}), out=None)
    assert idle.slots["price_mean_cny_per_kwh"] == [None]
    assert idle.slots.to_polars()["price_mean_cny_per_kwh"].dtype == polars.Float64
    assert idle.slots.to_pandas()["price_mean_cny_per_kwh"].dtype == "float64"
    assert idle.trades.to_polars()["price_cny_per_kwh"].dtype == polars.Float64 and len(idle.trades) == 0
    assert day.slots.units["price_mean_cny_per_kwh"] == "CNY/kWh"


def test_every_library_reads_the_same(day: ms.Run) -> None:
    table = day.trades
    wanted = sum(price for price in table["traded_kwh"] if price is not None)
    arrow, frame, data = table.to_pyarrow(), table.to_polars(), table.to_pandas()
    assert isinstance(arrow, pyarrow.Table) and isinstance(frame, polars.DataFrame) and isinstance(data, pandas.DataFrame)
    assert frame["traded_kwh"].sum() == pytest.approx(wanted)
    assert data["traded_kwh"].sum() == pytest.approx(wanted)
    relation = duckdb.query("SELECT sum(traded_kwh) FROM arrow")
    assert relation is not None and relation.fetchall() == [(pytest.approx(wanted),)]
    assert data["case"].dtype == "uint32" and len(data) == len(table)


def test_nothing_is_copied(day: ms.Run) -> None:
    table = day.convergence
    name = "price_cny_per_kwh"
    one, other = (pyarrow.table(table)[name].chunk(0).buffers()[1].address for _ in range(2))
    assert one == other
    series = polars.DataFrame(table)[name]
    assert series.to_arrow().buffers()[1].address == one


def test_whatever_its_length_a_table_is_handed_over_at_once(day: ms.Run) -> None:
    table = day.convergence
    begun = time.perf_counter()
    for _ in range(20):
        polars.DataFrame(table)
    assert time.perf_counter() - begun < 1.0, "copies would take longer"


def test_a_table_is_shown(day: ms.Run) -> None:
    assert f"{len(day.slots)} rows" in repr(day.slots)
    assert "<th>price_mean_cny_per_kwh<br>[CNY/kWh]</th>" in day.slots._repr_html_()
    with pytest.raises(KeyError, match="there is no column"):
        day.slots["nothing"]
