"""Agent-based simulation of local electricity markets with controlled asynchrony and exact reproducibility.

    import microgrid_sim as ms

    run = ms.run("scenarios/5_prosumers.ron", mu=[0, 1], delay="200ms", seed=7)
    run.slots.to_pandas()
    run.show(); run.report()

`run` and `sweep` play scenarios as the command `sim` does, and leave the same files; `open` reads a run back;
`Market` plays a market slot by slot, with what another simulator says; `Scenario` makes a scenario in Python, with `Profiles` from a data frame. `PricingRule`, `ChoiceRule` and `Bidder` are
rules for you to write.
"""

from ._core import Table, __version__
from ._values import Ron
from .errors import (
    LedgerError,
    MicrogridError,
    ResultsError,
    RuleError,
    RunError,
    ScenarioError,
    ScenarioWarning,
)
from .market import Market, Step
from .rules import Bid, Bidder, ChoiceRule, Lesson, Offer, PricingRule, Random
from .run import Run, resume, run, stability, sweep
from .run import open_run as open
from .scenario import Profiles, Scenario

__all__ = [
    "Bid",
    "Bidder",
    "ChoiceRule",
    "LedgerError",
    "Lesson",
    "Market",
    "MicrogridError",
    "Offer",
    "PricingRule",
    "Profiles",
    "Random",
    "ResultsError",
    "Ron",
    "RuleError",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "ScenarioWarning",
    "Step",
    "Table",
    "__version__",
    "open",
    "resume",
    "run",
    "stability",
    "sweep",
]
