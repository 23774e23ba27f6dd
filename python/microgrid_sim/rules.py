"""Rules by which prosumers decide, for you to write.

Subclass one of the three, and hand an instance to `microgrid_sim.run`: all prosumers then decide by it, or those with
the numbers that you name. Each has a deep copy of its own, which may remember things. Everything that is random has to
come from the `random` that a rule is shown, or runs are not repeatable.

    class Follow(ms.PricingRule):
        def next_price(self, offer: ms.Offer) -> float:
            return offer.moved_by(min(offer.others(), default=offer.price) - offer.price)

    ms.run("scenarios/5_prosumers.ron", pricing={2: Follow()})
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ._core import Bid, Lesson, Offer, Random

__all__ = ["Bid", "Bidder", "ChoiceRule", "Lesson", "Offer", "PricingRule", "Random"]


class PricingRule(ABC):
    """By which rule a seller moves its price."""

    def first_price(self, slot: int, floor: float, ceiling: float, random: Random) -> float | None:
        """The first price of a slot [CNY/kWh], between `floor` and `ceiling`; `None`: as the scenario says."""
        return None

    @abstractmethod
    def next_price(self, offer: Offer) -> float:
        """The next price [CNY/kWh], asked once an act.

        The ledger refuses a price outside of the tariffs or moved beyond the ramp, and keeps the last one;
        `offer.moved_by` keeps within both.
        """


class ChoiceRule(ABC):
    """By which rule a buyer divides itself over sellers."""

    @abstractmethod
    def learn(self, shares: list[float], lesson: Lesson) -> Sequence[float] | tuple[Sequence[float], float]:
        """The next shares, one a seller that the buyer knows, of 0 or more and with a sum of 1; asked once an act.

        With them may come the largest change of a share as it counts for rest: the game can come to rest only if that
        falls below the tolerance. Without it, it is worked out.
        """


class Bidder(ABC):
    """By which rule a participant of an auction makes its orders."""

    @abstractmethod
    def bid(self, bid: Bid) -> Sequence[tuple[float, float]] | None:
        """The curve that takes the place of the last one: pairs of energy [kWh] and limit [CNY/kWh], the best limit
        first, of what the participant would trade in the slot in all; `None` where the last one may stay."""

    def is_done(self, bid: Bid) -> bool:
        """Whether it will have nothing else to say in this slot."""
        return False
