"""Reads every table of the runs that it is given with pandas, polars and DuckDB: as each does by itself, and by the types
of the run's schema.json. Prints how many tables it has read."""

import json
import sys
from pathlib import Path

import duckdb
import pandas
import polars

POLARS = {"uint32": polars.UInt32, "uint64": polars.UInt64, "float64": polars.Float64, "string": polars.String}
DUCKDB = {"uint32": "UINTEGER", "uint64": "UBIGINT", "float64": "DOUBLE", "string": "VARCHAR"}
# A bar would come between what is printed here.
duckdb.sql("SET enable_progress_bar = false")
# polars looks at so many rows before it takes a column for numbers or text.
LOOKED_AT = 100


def by_schema(path, types):
    """The table as each reader has it that knows the types, and the types it has then."""
    if path.suffix == ".parquet":
        read = pandas.read_parquet(path), polars.read_parquet(path), duckdb.sql(f"FROM read_parquet('{path}')")
    else:
        of_pandas = pandas.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
        of_polars = polars.read_csv(path, schema={name: POLARS[kind] for name, kind in types.items()})
        of_duckdb = {name: DUCKDB[kind] for name, kind in types.items()}
        read = of_pandas, of_polars, duckdb.read_csv(str(path), header=True, columns=of_duckdb)
    kinds = [
        [{"str": "string"}.get(str(kind), str(kind)) for kind in read[0].dtypes],
        [next(name for name, known in POLARS.items() if known == kind) for kind in read[1].dtypes],
        [next(name for name, known in DUCKDB.items() if known == str(kind)) for kind in read[2].types],
    ]
    frames = [polars.from_pandas(read[0]), read[1], read[2].pl()]
    return [frame.cast(read[1].schema) for frame in frames], kinds


def by_itself(path):
    """The table as each reader has it that knows nothing."""
    of_pandas = pandas.read_csv(path, keep_default_na=False, na_values=[""])
    return [polars.from_pandas(of_pandas), polars.read_csv(path), duckdb.read_csv(str(path)).pl()]


def check(path, columns):
    types = {column["name"]: column["type"] for column in columns}
    frames, kinds = by_schema(path, types)
    for reader, frame, found in zip(("pandas", "polars", "DuckDB"), frames, kinds):
        assert found == list(types.values()), f"{reader}: {path}: {found}"
        assert frame.columns == list(types), f"{reader}: {path}: {frame.columns}"
        assert frame.equals(frames[1]), f"{reader} reads other values than polars in {path}"
    for column in columns:
        assert column["empty"] or frames[1][column["name"]].null_count() == 0, f"{path}: {column} is empty somewhere"
    if path.suffix == ".parquet" or frames[1].is_empty():
        return
    told = [name for name, kind in types.items() if kind != "string" and frames[1][name][:LOOKED_AT].count() > 0]
    for reader, frame in zip(("pandas", "polars", "DuckDB"), by_itself(path)):
        for name in told:
            kind = frame[name].dtype
            fits = kind.is_float() if types[name] == "float64" else kind.is_integer()
            assert fits, f"{reader} by itself takes {name} of {path} for {kind}"
            same = frame[name].cast(POLARS[types[name]]).equals(frames[1][name])
            assert same, f"{reader} by itself reads other values of {name} in {path}"


tables = 0
for run in map(Path, sys.argv[1:]):
    schema = json.loads((run / "schema.json").read_text())
    left = {path.name for path in run.iterdir() if path.suffix in (".csv", ".parquet")}
    assert left == set(schema), f"{run}: {left} and not {set(schema)}"
    for name, columns in schema.items():
        check(run / name, columns)
        tables += 1
print(f"{tables} tables")
