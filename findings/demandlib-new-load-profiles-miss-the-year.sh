#!/usr/bin/env bash
# demandlib 0.2.2 (PyPI), standard load profiles of the German energy industry (BDEW): the old set (`ElecSlp`) and that of 2025
# (`H25`, `G25`, `L25`, `P25`, `S25`).
#
# One would expect that both classes of one package say how a year's energy lies over its quarter-hours: scaled to so many kWh, a
# year has so many kWh, and a profile given in universal time is that of German clocks.
#
# What happens: old profiles add up to 1, and are scaled to the year's energy exactly (but for `h0_dyn`, which is 0.004 to 0.07 % off).
# The new ones are powers in kW for a customer of a million kWh a year, of which no year has a million: by the days and holidays
# that fall into it, a year of `G25` has 2 % more, one of `H25` half a per cent less, and nothing scales them. And the time of an index
# is taken as it stands, whatever its zone: with an index in UTC, the evening peak of German households comes an hour late, in
# summer two.
#
# Why it matters: a community whose members have measured annual energies is out of balance by up to 2 %, a bill by as much,
# and photovoltaics in UTC meet loads that are an hour or two away.
#
# Output seen on 2026-11-30:
#   2025, kWh a year for 1000000: h0 1000000, g0 1000000; H25 995052, G25 1018007, L25 1000189, P25 998550, S25 997265
#   2024, kWh a year for 1000000: h0 1000000, g0 1000000; H25 998112, G25 1021393, L25 1003128, P25 1002750, S25 1003150
#   H25 on 2025-01-15, peak by the clocks of Berlin: 18:45, and 19:45 where the index is in UTC
#   H25 on 2025-07-15, peak by the clocks of Berlin: 19:15, and 21:15 where the index is in UTC
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet demandlib==0.2.2 pandas==2.3.3
"$folder/python/bin/python" -W ignore - <<'PYTHON'
import pandas as pd
from demandlib import bdew

new = [bdew.H25, bdew.G25, bdew.L25, bdew.P25, bdew.S25]

def quarters(year, zone):
    return pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="15min", inclusive="left", tz=zone)

for year in (2025, 2024):
    old = bdew.ElecSlp(year).get_scaled_profiles({"h0": 1e6, "g0": 1e6}).sum()
    sums = {of.__name__: of(quarters(year, "Europe/Berlin")).sum() * 0.25 for of in new}
    told = ", ".join(f"{name} {sum:.0f}" for name, sum in sums.items())
    print(f"{year}, kWh a year for 1000000: h0 {old['h0']:.0f}, g0 {old['g0']:.0f}; {told}")
    assert abs(old["h0"] - 1e6) < 1 and abs(old["g0"] - 1e6) < 1
    assert sums["G25"] > 1.015e6 and sums["H25"] < 0.999e6

def peak(zone, date):
    return bdew.H25(quarters(2025, zone)).loc[date].idxmax().tz_convert("Europe/Berlin")

for date, late in [("2025-01-15", 1), ("2025-07-15", 2)]:
    local, universal = (peak(zone, date) for zone in ("Europe/Berlin", "UTC"))
    print(f"H25 on {date}, peak by the clocks of Berlin: {local:%H:%M}, and {universal:%H:%M} where the index is in UTC")
    assert universal - local == pd.Timedelta(hours=late)
PYTHON
