"""Rules that are written in Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import contents

import microgrid_sim as ms


def lanes(terms: list[float]) -> float:
    """The sum of these terms as the simulator adds them: four at a time."""
    whole = len(terms) // 4 * 4
    four = [0.0] * 4
    for place in range(whole):
        four[place % 4] += terms[place]
    rest = 0.0
    for term in terms[whole:]:
        rest += term
    return ((four[0] + four[1]) + (four[2] + four[3])) + rest


class Replicator(ms.ChoiceRule):
    """Replicator dynamics (15), as the simulator has them."""

    def learn(self, shares: list[float], lesson: ms.Lesson) -> tuple[list[float], float]:
        fitness = lesson.fitness
        mean = lanes([share * worth for share, worth in zip(shares, fitness, strict=True)]) / lanes(shares)
        least = min((worth for share, worth in zip(shares, fitness, strict=True) if share > 0.0), default=math.inf)
        loss = max(mean - least, 0.0)
        step = min(lesson.step, 0.5 / loss if loss > 0.0 else math.inf)
        moved, largest = [], 0.0
        for share, worth in zip(shares, fitness, strict=True):
            change = step * share * (worth - mean)
            weight = 1e-4 / share if change > 0.0 and share < 1e-4 else 1.0
            largest = max(largest, abs(change) * weight)
            moved.append(share + change)
        return moved, largest


class ExcessDemand(ms.PricingRule):
    """Excess demand raises the price (17), as the simulator has it."""

    def next_price(self, offer: ms.Offer) -> float:
        reach = offer.ramp * max(abs(offer.price), offer.ceiling - offer.floor)
        wanted = offer.price + offer.step * (offer.demand - offer.surplus)
        return min(max(wanted, offer.floor, offer.price - reach), offer.ceiling, offer.price + reach)


class Truthful(ms.Bidder):
    """Says what is true, once."""

    def bid(self, bid: ms.Bid) -> list[tuple[float, float]] | None:
        return bid.truth() if bid.last is None and bid.truth() else None

    def is_done(self, bid: ms.Bid) -> bool:
        return True


def same(run: ms.Run, other: ms.Run) -> None:
    mine, theirs = contents(run), contents(other)
    assert mine.keys() == theirs.keys() and "ledger.db" in mine
    assert [name for name in mine if mine[name] != theirs[name]] == []


@pytest.mark.parametrize("shards", [1, 3])
def test_the_replicator_in_python_gives_the_bytes_of_the_simulator_s(
    day: ms.Run, flagship: Path, tmp_path: Path, shards: int
) -> None:
    same(ms.run(flagship, out=tmp_path, choice=Replicator(), shards=shards), day)


def test_the_price_rule_in_python_gives_the_bytes_of_the_simulator_s(
    noon: Callable[..., ms.Scenario], tmp_path: Path
) -> None:
    own = ms.run(noon(), out=tmp_path / "own", pricing=ExcessDemand())
    same(own, ms.run(noon(), out=tmp_path / "usual"))
    assert own.manifest["own_rules"] is True


def test_the_truthful_bidder_in_python_gives_the_bytes_of_the_simulator_s(
    noon: Callable[..., ms.Scenario], tmp_path: Path
) -> None:
    auction = noon(mechanism="UniformPriceAuction()")
    own = ms.run(auction, out=tmp_path / "own", bidder=Truthful())
    usual = ms.run(auction, out=tmp_path / "usual")
    assert own.slots["traded_kwh"] == usual.slots["traded_kwh"] and sum(own.slots["traded_kwh"]) > 0
    same(own, usual)


def test_each_prosumer_has_a_copy_and_only_those_who_are_named(noon: Callable[..., ms.Scenario]) -> None:
    class Counts(ms.PricingRule):
        def __init__(self) -> None:
            self.asked = 0

        def next_price(self, offer: ms.Offer) -> float:
            self.asked += 1
            seen.setdefault(offer.number, []).append(self.asked)
            assert offer.sellers[offer.me] == offer.number and offer.slot == 12
            return offer.moved_by(0.0)

    seen: dict[int, list[int]] = {}
    rule = Counts()
    sellers = [seller for seller in ms.run(noon(), out=None).trades["seller"]]
    first, second = sorted(set(sellers))[:2]
    ms.run(noon(), out=None, pricing={first: rule, second: rule})
    assert set(seen) == {first, second} and rule.asked == 0
    assert all(asked == list(range(1, len(asked) + 1)) for asked in seen.values())


def test_what_is_random_comes_from_the_prosumer_s_stream(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    class Drifts(ms.PricingRule):
        def first_price(self, slot: int, floor: float, ceiling: float, random: ms.Random) -> float:
            return random.uniform(floor, ceiling)

        def next_price(self, offer: ms.Offer) -> float:
            draw = offer.random
            assert 0.0 <= draw.random() < 1.0 and draw.integer(3, 5) in (3, 4)
            return offer.moved_by(draw.normal(0.0, 0.01))

    market = noon(market={"slots": 12, "open": (12, 12), "gate_closure": "20s"})
    runs = [ms.run(market, out=tmp_path / str(shards), pricing=Drifts(), shards=shards) for shards in (1, 2)]
    same(*runs)
    other = ms.run(market, out=tmp_path / "other", pricing=Drifts(), seed=8)
    assert other.convergence["price_cny_per_kwh"] != runs[0].convergence["price_cny_per_kwh"]


class Fails(ms.PricingRule):
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def next_price(self, offer: ms.Offer) -> float:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]


class Shares(ms.ChoiceRule):
    def __init__(self, answer: Callable[[list[float]], object]) -> None:
        self.answer = answer

    def learn(self, shares: list[float], lesson: ms.Lesson) -> list[float]:
        return self.answer(shares)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("rules", "said", "cause"),
    [
        ({"pricing": Fails(ZeroDivisionError("oh"))}, "ZeroDivisionError: oh", ZeroDivisionError),
        ({"pricing": Fails(math.nan)}, "NaN is not a price", ValueError),
        ({"pricing": Fails("much")}, "must be real number", TypeError),
        ({"pricing": Fails(None)}, "must be real number", TypeError),
        ({"choice": Shares(lambda shares: shares[1:])}, "expected .* shares, one a seller, found", ValueError),
        ({"choice": Shares(lambda shares: [2 * share for share in shares])}, "add up to 2", ValueError),
        ({"choice": Shares(lambda shares: [-1.0] + shares[1:])}, "-1 is not a share", ValueError),
        ({"choice": Shares(lambda shares: None)}, "TypeError", TypeError),
    ],
)
def test_a_rule_that_fails_is_told_with_prosumer_and_slot(
    noon: Callable[..., ms.Scenario], tmp_path: Path, rules: dict[str, object], said: str, cause: type[Exception]
) -> None:
    with pytest.raises(ms.RuleError, match=r"prosumer \d+ raised in slot 12: .*" + said) as caught:
        ms.run(noon(), out=tmp_path, **rules)  # type: ignore[arg-type]
    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.folder is not None and ms.open(caught.value.folder).status == "failed"


def test_what_is_no_rule_is_refused(noon: Callable[..., ms.Scenario], tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected a rule of class PricingRule, found Replicator"):
        ms.run(noon(), out=tmp_path, pricing=Replicator())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there is no prosumer 99"):
        ms.run(noon(), out=tmp_path, pricing={99: ExcessDemand()})

    class Bound(ExcessDemand):
        def __deepcopy__(self, memo: object) -> Bound:
            raise TypeError("cannot be copied")

    with pytest.raises(TypeError, match="cannot be copied"):
        ms.run(noon(), out=tmp_path, pricing=Bound())
    assert list(tmp_path.iterdir()) == []
