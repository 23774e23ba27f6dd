#!/usr/bin/env python3
"""Holds an imported grid of SimBench against its source, with the standard library alone.

    check_simbench.py SOURCE FOLDER [RUN.csv] [--set SET] [--shift-pv ROWS]

SOURCE is the wheel of PyPI or a folder with the CSV files of a set, FOLDER what `sim import simbench` left. For each member,
load and generation over all rows of FOLDER/profiles.csv are added up twice, from the raw tables and from the imported ones,
and must agree to 1e-6. RUN.csv is what a run came to, with the columns `name` (or `prosumer`, the member's number), `load_kwh`
and `generation_kwh`, as in bills.csv (where `consumption_kwh` is load if demand is firm), or `pv_kwh`, as in prosumers.csv; rows of
one member are added up. SET is read from import.md if it is not given.

Where members.csv has been given devices since, they count too: a roof of a member that has none in the source has its `pv_kwp`
times the raw profile, and a vehicle takes `ev_kwh` a day in a run.
"""

import argparse
import csv
import io
import os
import re
import sys
import zipfile
from datetime import datetime, timedelta, timezone

HOURS = 0.25
TOLERANCE = 1e-6
START = datetime(2015, 12, 31, 23, tzinfo=timezone.utc)


def rows_of(source, name, chosen):
    """The rows of a raw table, each a dictionary."""
    if os.path.isdir(source):
        with open(os.path.join(source, name), newline="") as file:
            yield from csv.DictReader(file, delimiter=";")
    else:
        with zipfile.ZipFile(source) as wheel, wheel.open(f"simbench/networks/{chosen}/{name}") as file:
            yield from csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter=";")


def raw_energies(source, chosen, grid, first, count, shift, roofs):
    """Load and generation [kWh] by member, from the raw tables. `roofs` are profile and rated power of all members that have any;
    they count where the source has none."""
    loads = [row for row in rows_of(source, "Load.csv", chosen) if row["subnet"] == grid]
    suns = [row for row in rows_of(source, "RES.csv", chosen) if row["subnet"] == grid and row["type"].upper().startswith("PV")]
    rows = range(first, first + count)
    load_sums = {row["profile"]: 0.0 for row in loads}
    for n, row in enumerate(rows_of(source, "LoadProfile.csv", chosen)):
        if n in rows:
            for profile in load_sums:
                load_sums[profile] += float(row[profile + "_pload"])
    pv_sums = dict.fromkeys([row["profile"] for row in suns] + [profile for profile, _ in roofs.values()], 0.0)
    for n, row in enumerate(rows_of(source, "RESProfile.csv", chosen)):
        if n + shift in rows:
            for profile in pv_sums:
                pv_sums[profile] += float(row[profile])
    energies, at_node = {}, {}
    for row in loads:
        energies[row["id"]] = [1000 * float(row["pLoad"]) * load_sums[row["profile"]] * HOURS, 0.0]
        at_node.setdefault(row["node"], row["id"])
    for row in suns:
        member = at_node.get(row["node"], row["id"])
        energies.setdefault(member, [0.0, 0.0])[1] += 1000 * float(row["pRES"]) * pv_sums[row["profile"]] * HOURS
    for member, (profile, kwp) in roofs.items():
        if not energies[member][1]:
            energies[member][1] = kwp * pv_sums[profile] * HOURS
    return energies


def imported_energies(folder):
    """The same from what was imported, with the first row's number in the year, the number of rows, roofs, and what vehicles take
    in all these days [kWh]."""
    sums, first, count, days = {}, None, 0, set()
    with open(os.path.join(folder, "profiles.csv"), newline="") as file:
        for row in csv.DictReader(file):
            local = datetime.fromisoformat(row.pop("time"))
            days.add(local.date())
            at = local.astimezone(timezone.utc)
            number = (at - START) / timedelta(minutes=15)
            first = number if first is None else first
            assert number == first + count, f"{at}: rows are not a quarter-hour apart"
            count += 1
            for profile, value in row.items():
                sums[profile] = sums.get(profile, 0.0) + float(value)
    energies, roofs, vehicles = {}, {}, {}
    with open(os.path.join(folder, "members.csv"), newline="") as file:
        for row in csv.DictReader(file):
            of = lambda profile, scale: float(row[scale]) * sums[row[profile]] * HOURS if row.get(profile) else 0.0
            energies[row["name"]] = [of("load_profile", "load_peak_kw"), of("pv_profile", "pv_kwp")]
            if row.get("pv_kwp"):
                roofs[row["name"]] = row["pv_profile"], float(row["pv_kwp"])
            vehicles[row["name"]] = len(days) * float(row.get("ev_kwh") or 0)
    return energies, int(first), count, roofs, vehicles


def run_energies(path, names):
    """The same from a run."""
    energies = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            name = row["name"] if row.get("name") else names[int(row["prosumer"]) - 1]
            sums = energies.setdefault(name, [0.0, 0.0])
            sums[0] += float(row["load_kwh"] if "load_kwh" in row else row["consumption_kwh"])
            sums[1] += float(row["generation_kwh"] if "generation_kwh" in row else row["pv_kwh"])
    return energies


def compare(what, expected, found):
    """Says how far both are apart at most; returns whether that is little enough."""
    if list(expected) != list(found) and set(expected) != set(found):
        print(f"{what}: other members: {sorted(set(expected) ^ set(found))[:5]}")
        return False
    worst, where = 0.0, "nobody"
    for name, energies in expected.items():
        for kind, one, other in zip(("load", "generation"), energies, found[name]):
            apart = abs(one - other) / max(abs(one), abs(other), 1e-9)
            if apart > worst:
                worst, where = apart, f"{kind} of {name}: {one!r} and {other!r} kWh"
    load, generation = (sum(energies[n] for energies in found.values()) for n in (0, 1))
    print(f"{what}: {len(found)} members, load {load:.3f} kWh, generation {generation:.3f} kWh, apart at most {worst:.2e} ({where})")
    return worst <= TOLERANCE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("folder")
    parser.add_argument("run", nargs="?")
    parser.add_argument("--set")
    parser.add_argument("--shift-pv", type=int, default=0, metavar="ROWS")
    given = parser.parse_args()
    with open(os.path.join(given.folder, "import.md")) as file:
        grid, told = re.search(r"grid `([^`]+)` of the set (?:`([^`]+)`|in the folder)", file.read()).groups()
    imported, first, count, roofs, vehicles = imported_energies(given.folder)
    raw = raw_energies(given.source, given.set or told, grid, first, count, given.shift_pv, roofs)
    good = compare(f"{grid}, {count} rows, imported", raw, imported)
    if given.run:
        charged = {name: [load + vehicles[name], generation] for name, (load, generation) in raw.items()}
        good &= compare(f"{grid}, {count} rows, run", charged, run_energies(given.run, list(imported)))
    sys.exit(not good)


if __name__ == "__main__":
    main()
