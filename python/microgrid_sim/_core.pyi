"""The simulator behind `microgrid_sim`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__version__: str

class Source:
    def __new__(cls, *, file: str | None = None, text: str | None = None) -> Source: ...
    def give(self, name: str, text: str) -> None: ...
    def give_frame(self, name: str, frame: Any) -> None: ...
    def set(self, name: str, values: Sequence[str]) -> None: ...
    def copy(self) -> Source: ...
    def resolved(self) -> tuple[str, list[str]]: ...
    def shape(self) -> tuple[int, list[int]]: ...
    @property
    def data(self) -> list[tuple[str, str]]: ...

class Table:
    """A table of results: typed columns, which other libraries take as they are.

    pandas, polars, pyarrow, DuckDB and all else that speaks the Arrow PyCapsule interface read it without a copy:
    `polars.DataFrame(table)`, `pyarrow.table(table)`. Empty cells are null.
    """

    @property
    def notes(self) -> list[str]:
        """What there is to know of it beside its numbers."""
    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
    @property
    def units(self) -> dict[str, str]:
        """Units of the columns that have one, by name."""
    def __len__(self) -> int: ...
    def __getitem__(self, name: str) -> list[Any]:
        """What stands in a column, as a list."""
    def rows(self) -> list[dict[str, Any]]:
        """The rows, each by the names of the columns."""
    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`; takes pandas and pyarrow."""
    def to_polars(self) -> Any:
        """A `polars.DataFrame`; takes polars."""
    def to_pyarrow(self) -> Any:
        """A `pyarrow.Table`; takes pyarrow."""
    def _repr_html_(self) -> str: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class Random:
    """A prosumer's own random stream: the same draws for the same seed, whatever else happens."""

    def random(self) -> float:
        """A number from 0 on and below 1."""
    def uniform(self, low: float, high: float) -> float:
        """A number from `low` to `high`."""
    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """A number of a normal distribution."""
    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` on and below `high`."""

class Offer:
    """What a seller has to go by when it moves its price."""

    @property
    def slot(self) -> int:
        """Number of the slot, from 1."""
    @property
    def number(self) -> int:
        """The seller's own number in the scenario."""
    @property
    def me(self) -> int:
        """Its position among the sellers."""
    @property
    def sellers(self) -> list[int]:
        """Numbers of all sellers, by their positions."""
    @property
    def prices(self) -> list[float]:
        """Their last prices [CNY/kWh]; infinite for one that has not quoted yet."""
    @property
    def price(self) -> float:
        """Its own last price [CNY/kWh]."""
    @property
    def surplus(self) -> float:
        """Its surplus [kWh]."""
    @property
    def demand(self) -> float:
        """The demand that it met when the market was last shown [kWh]."""
    @property
    def excess(self) -> float:
        """Demand less surplus [kWh]."""
    @property
    def step(self) -> float:
        """Step of the scenario's own price rule (17) [CNY/kWh²]."""
    @property
    def floor(self) -> float:
        """The least price that it may ask, the feed-in tariff [CNY/kWh]."""
    @property
    def ceiling(self) -> float:
        """The highest, the grid's tariff less the fee [CNY/kWh]."""
    @property
    def ramp(self) -> float:
        """Largest relative move in one step."""
    @property
    def random(self) -> Random:
        """Where all that is random has to come from."""
    def moved_by(self, change: float) -> float:
        """The price moved by so much [CNY/kWh], as far as tariffs and ramp (18) allow."""
    def others(self) -> list[float]:
        """The last prices of the other sellers that have quoted one [CNY/kWh]."""

class Lesson:
    """What a buyer has to go by when it moves its shares. Lists have an entry for each seller that it knows."""

    @property
    def slot(self) -> int:
        """Number of the slot, from 1."""
    @property
    def sellers(self) -> list[int]:
        """The sellers' numbers."""
    @property
    def prices(self) -> list[float]:
        """Their prices [CNY/kWh]; infinite for one that has not quoted yet."""
    @property
    def fitness(self) -> list[float]:
        """What each is worth to buyers [CNY], by the scenario's `fitness`."""
    @property
    def mean_shares(self) -> list[float]:
        """Their mean shares over all buyers."""
    @property
    def demand(self) -> list[float]:
        """The demand that each meets [kWh]."""
    @property
    def surplus(self) -> list[float]:
        """Their surplus [kWh]."""
    @property
    def purchases(self) -> list[float]:
        """What the buyer would buy of each by its last choice [kWh]."""
    @property
    def need(self) -> float:
        """The buyer's need (2) [kWh]."""
    @property
    def generation(self) -> float:
        """Its own generation [kWh]."""
    @property
    def preference(self) -> float:
        """Its preference for local energy (5) [CNY/kWh]."""
    @property
    def step(self) -> float:
        """The replicator step (15) of the scenario [1/CNY]."""
    @property
    def unit(self) -> float:
        """The step of size `Scaled(1)` [1/CNY]; 0 while there is nothing to compare."""
    @property
    def random(self) -> Random:
        """Where all that is random has to come from."""

class Bid:
    """What a participant of an auction has to go by when it makes an order."""

    @property
    def side(self) -> str:
        """`"buy"` or `"sell"`."""
    @property
    def floor(self) -> float:
        """The least limit [CNY/kWh]."""
    @property
    def ceiling(self) -> float:
        """The highest [CNY/kWh]."""
    @property
    def elapsed(self) -> float:
        """How much of the time from the opening to the gate is over, from 0 to 1."""
    @property
    def traded(self) -> float:
        """What it has traded in the slot [kWh]."""
    @property
    def bid(self) -> float | None:
        """The highest limit of what waits to be bought [CNY/kWh], where the ledger shows it."""
    @property
    def ask(self) -> float | None:
        """The lowest limit of what waits to be sold [CNY/kWh], where the ledger shows it."""
    @property
    def price(self) -> float | None:
        """The price of the last trades that were shown [CNY/kWh]."""
    @property
    def last(self) -> list[tuple[float, float]] | None:
        """The curve that it has posted last: energies [kWh] and limits [CNY/kWh]."""
    @property
    def random(self) -> Random:
        """Where all that is random has to come from; not there in `is_done`."""
    def truth(self, steps: int = 10) -> list[tuple[float, float]]:
        """The truthful curve, in so many steps where energy is worth less than it costs at the grid."""
    def shaded(self, part: float, steps: int = 10) -> list[tuple[float, float]]:
        """The truthful curve with limits this part of the way from the tariff that is best for it to its own limits."""

class Stepper:
    def __new__(
        cls,
        source: Source,
        out: str,
        *,
        format: str,
        shards: str | None,
        owned: Sequence[tuple[str, list[int] | None, object]],
    ) -> Stepper: ...
    def step(self, said: Sequence[tuple[int, float | None, float | None]]) -> tuple[Table, Table, Table]: ...
    def close(self) -> Path | None: ...

def simulate(
    source: Source,
    out: str,
    *,
    format: str,
    part: str | None,
    jobs: int | None,
    shards: str | None,
    resume: bool,
    begun: bool,
    owned: Sequence[tuple[str, list[int] | None, object]],
    tell: Callable[[int, int, int, int, int], object] | None,
) -> Path: ...
def read_json(folder: str | Path, file: str) -> tuple[str, Path]: ...
def read_kpis(folder: str | Path) -> str: ...
def read_table(folder: str | Path, name: str) -> Table: ...
def show(folder: str | Path, slot: str | None, member: str | None, case: int | None) -> str: ...
def report(folder: str | Path) -> Path: ...
def verify(folder: str | Path) -> list[dict[str, Any]]: ...
def stability(source: Source, slot: int | None = None) -> Table: ...
