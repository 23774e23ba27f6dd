#!/usr/bin/env bash
# polars 2.1.0, handed to arro3-core 0.9.1, which is arrow-rs behind the Arrow PyCapsule interface; pyarrow 26.0.1 beside it.
#
# A polars frame in which a column has no value yet, such as a meter that has not been read, has a column of type Null.
#
# Expected: whatever speaks the Arrow C stream interface takes a polars frame, or refuses columns that it does not know by name.
#
# Happens: the import of the whole frame ends, for the sake of that one column, with an error that speaks of a buffer at index 0
# and names no column. polars exports an array of type Null with one buffer; the C data interface has none for this type, and
# arrow-rs holds to that. pyarrow reads the same stream. One value, or a cast of the column to any type, mends it.
#
# Output seen:
#   pyarrow: 2 rows, x is null
#   arro3: C Data interface error: The datatype "Null" doesn't expect buffer at index 0. Please verify that the C data interface is correctly implemented.
#   arro3, cast: 2 rows
#
# Why it matters: frames of profiles reach Rust programs this way, and a column that is empty altogether is just what a reader would
# like to name in its message. Whoever imports by arrow-rs has to have another way for such frames, or to look at the types first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet polars==2.1.0 arro3-core==0.9.1 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import arro3.core
import polars
import pyarrow

frame = polars.DataFrame({"x": [None, None], "y": [1.0, 2.0]})
assert frame["x"].dtype == polars.Null
table = pyarrow.table(frame)
print(f"pyarrow: {table.num_rows} rows, x is {table.schema.field('x').type}")
try:
    arro3.core.Table.from_arrow(frame)
except Exception as error:
    print(f"arro3: {error}")
    assert "buffer at index 0" in str(error), error
else:
    raise SystemExit("arrow-rs takes it now")
cast = arro3.core.Table.from_arrow(frame.cast({"x": polars.Float64}))
print(f"arro3, cast: {cast.num_rows} rows")
PYTHON
