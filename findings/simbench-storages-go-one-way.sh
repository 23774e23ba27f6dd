#!/usr/bin/env bash
# simbench 1.6.3 (PyPI), the sets `1-complete_data-mixed-all-1-sw` and `-2-sw`, whose grids have batteries beside photovoltaics.
#
# One would expect of a battery's profile that it charges and discharges: that values have both signs, and that what goes in
# over a year comes out again but for losses.
#
# What happens: every storage profile of a low-voltage grid has values of 0 and above only. Power is `pStor` times the profile, and
# `pStor` is negative for all storages, as are `pMin`, while `pMax` is 0: so each moves energy in one direction alone, all year, and
# a median one 323 times its capacity `eStore` (set 1). Whichever sign means charging (in pandapower, to which the package
# converts, a storage's positive power charges), a power flow by these profiles has batteries that never turn round, and that
# supply or swallow energy of which no balance of the grid knows.
#
# Why it matters: whoever imports these storages has to take capacity and power and drop the profile; whoever sums a grid's
# energy over a year finds more than its generation and load explain.
#
# Output seen on 2026-11-30:
#   set 1: 1793 low-voltage storages, 22 profiles, 0 with a value below 0; pStor < 0: 1793, pMax = 0: 1793; moved over the year, in capacities: median 323
#   set 2: 3656 low-voltage storages, 37 profiles, 0 with a value below 0; pStor < 0: 3656, pMax = 0: 3656; moved over the year, in capacities: median 322
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip download --quiet --no-deps --dest "$folder" simbench==1.6.3 2>/dev/null
python3 - "$folder"/simbench-1.6.3-py3-none-any.whl <<'PYTHON'
import csv, io, statistics, sys, zipfile

wheel = zipfile.ZipFile(sys.argv[1])
for number in (1, 2):
    table = lambda name: csv.DictReader(
        io.TextIOWrapper(wheel.open(f"simbench/networks/1-complete_data-mixed-all-{number}-sw/{name}"), "utf-8"), delimiter=";")
    storages = [row for row in table("Storage.csv") if row["subnet"].startswith("LV")]
    sums = dict.fromkeys({row["profile"] for row in storages}, 0.0)
    below = set()
    for row in table("StorageProfile.csv"):
        for profile in sums:
            value = float(row[profile])
            sums[profile] += value
            if value < 0:
                below.add(profile)
    times = [abs(float(row["pStor"])) * sums[row["profile"]] * 0.25 / float(row["eStore"]) for row in storages]
    negative = sum(float(row["pStor"]) < 0 for row in storages)
    stuck = sum(float(row["pMax"]) == 0 for row in storages)
    print(f"set {number}: {len(storages)} low-voltage storages, {len(sums)} profiles, {len(below)} with a value below 0; "
          f"pStor < 0: {negative}, pMax = 0: {stuck}; moved over the year, in capacities: median {statistics.median(times):.0f}")
    assert not below and negative == stuck == len(storages) and statistics.median(times) > 10
PYTHON
