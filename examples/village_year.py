"""Gives the members of an imported grid roofs, batteries and vehicles, by their place in the table and nothing else.

    sim import simbench simbench-1.6.3-py3-none-any.whl --grid LV2.101 --out village
    python examples/village_year.py village/members.csv > scenarios/data/village_year/members.csv

Of ten members three have a battery, and whoever has one without a roof gets photovoltaics; of ten members two have a vehicle.
What each has follows from its place, so that the table can be made again. scenarios/village_year.ron is made so.
"""

import csv
import sys

ROOFS = ["PV1", "PV3", "PV4", "PV7"]
CHARGING = ["AtOnce", "LowTariff", "Surplus"]
HOME = ["17:30-07:00", "18:15-06:30", "16:45-07:45", "19:00-08:00"]
COLUMNS = [
    "name", "load_profile", "load_peak_kw", "pv_profile", "pv_kwp", "battery_kwh", "battery_kw", "ev_kwh", "ev_kw",
    "ev_home", "ev_charging",
]


def with_devices(place, member):
    """The row of the member at this place, from 0, with what it has beside what was imported."""
    member = {column: member.get(column, "") for column in COLUMNS}
    if place * 7 % 10 < 3:
        if not member["pv_kwp"]:
            member["pv_profile"] = ROOFS[place % len(ROOFS)]
            member["pv_kwp"] = str(4 + place % 5)
        kwh = min(2 + round(float(member["pv_kwp"])), 15)
        member["battery_kwh"], member["battery_kw"] = str(kwh), str(kwh / 2)
    if place * 3 % 10 < 2:
        member["ev_kwh"], member["ev_kw"] = str(5 + place % 4), "3.7" if place % 3 else "11"
        member["ev_home"], member["ev_charging"] = HOME[place % len(HOME)], CHARGING[place % len(CHARGING)]
    return member


def main():
    with open(sys.argv[1], newline="", encoding="utf-8") as table:
        members = list(csv.DictReader(table))
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for place, member in enumerate(members):
        writer.writerow(with_devices(place, member))


main()
