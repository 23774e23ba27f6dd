#!/usr/bin/env bash
# entsoe-py 0.8.1 (PyPI), `entsoe.parsers.parse_prices`, on a `Publication_MarketDocument` with two auctions.
#
# ENTSO-E publishes day-ahead prices of some zones (DE-LU and AT among them) from more than one auction: the coupled one and a
# local one. Both are in the answer to one request, as time series of the same hours, which only
# `classificationSequence_AttributeInstanceComponent.position` tells apart.
#
# One would expect of the parser two series, or one of a chosen auction, or an error that the hours are there twice.
#
# What happens: both are put into one series of twice as many values, sorted by time, so that each hour is there twice with two
# prices and nothing says of which auction; which of the two stands first is left to the sort. The mean is one of both markets, the
# sum of a day's 24 prices is of 48, and selecting an hour gives two rows where other days give one number. In the same way
# series in different currencies become one without a word (`currency_Unit.name` is not read). The package's own request of
# day-ahead prices asks for auction 1 in these two zones only, and so is safe there; documents from the portal, from other
# programs or of other zones are not.
#
# Why it matters: a tariff made of such a series has hours with the wrong price, and a simulator that takes "the price of 10:00"
# takes the one or the other.
#
# Output seen on 2026-11-30:
#   3 hours of two auctions: 6 values, 3 different times; 2026-01-15 00:00 UTC: 80.0 and 95.5; mean 89.75
#   EUR 80.00 and PLN 340.00 for one hour: 2 values, 80.0 and 340.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet entsoe-py==0.8.1
"$folder/python/bin/python" - <<'PYTHON'
from entsoe.parsers import parse_prices

def series(number, currency, sequence, prices):
    points = "".join(f"<Point><position>{n}</position><price.amount>{price}</price.amount></Point>" for n, price in enumerate(prices, 1))
    return f"""<TimeSeries><mRID>{number}</mRID><auction.type>A01</auction.type><businessType>A62</businessType>
        <in_Domain.mRID codingScheme="A01">10Y1001A1001A82H</in_Domain.mRID>
        <out_Domain.mRID codingScheme="A01">10Y1001A1001A82H</out_Domain.mRID>
        <contract_MarketAgreement.type>A01</contract_MarketAgreement.type>
        <currency_Unit.name>{currency}</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
        <classificationSequence_AttributeInstanceComponent.position>{sequence}</classificationSequence_AttributeInstanceComponent.position>
        <curveType>A03</curveType><Period>
        <timeInterval><start>2026-01-15T00:00Z</start><end>2026-01-15T0{len(prices)}:00Z</end></timeInterval>
        <resolution>PT60M</resolution>{points}</Period></TimeSeries>"""

def document(*all):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
        <Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"><mRID>1</mRID>
        <revisionNumber>1</revisionNumber><type>A44</type>{''.join(all)}</Publication_MarketDocument>"""

auctions = document(series(1, "EUR", 1, [80.0, 90.0, 100.0]), series(2, "EUR", 2, [95.5, 85.5, 87.5]))
prices = parse_prices(auctions)["60min"]
first = sorted(prices[prices.index == prices.index[0]])
print(f"3 hours of two auctions: {len(prices)} values, {prices.index.nunique()} different times; "
      f"{prices.index[0]:%Y-%m-%d %H:%M %Z}: {first[0]} and {first[1]}; mean {prices.mean():.2f}")
assert len(prices) == 6 and prices.index.nunique() == 3 and first == [80.0, 95.5]

currencies = document(series(1, "EUR", 1, ["80.00"]), series(2, "PLN", 1, ["340.00"]))
prices = sorted(parse_prices(currencies)["60min"])
print(f"EUR 80.00 and PLN 340.00 for one hour: {len(prices)} values, {prices[0]} and {prices[1]}")
assert prices == [80.0, 340.0]
PYTHON
