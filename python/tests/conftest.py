"""What several tests need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import microgrid_sim as ms

REPOSITORY = Path(__file__).resolve().parents[2]
FLAGSHIP = REPOSITORY / "scenarios" / "5_prosumers.ron"


@pytest.fixture(scope="session")
def flagship() -> Path:
    """The scenario of the five-prosumer day."""
    return FLAGSHIP


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> ms.Run:
    """A run of the five-prosumer day, with everybody on the ledger and without it."""
    return ms.run(FLAGSHIP, out=tmp_path_factory.mktemp("day"), progress=False)


@pytest.fixture(scope="session")
def sim() -> Path:
    """The command, where it has been built."""
    found = os.environ.get("SIM") or shutil.which("sim")
    if found is None:
        pytest.skip("there is no `sim`: set SIM to its path")
    return Path(found)


@pytest.fixture
def noon() -> Callable[..., ms.Scenario]:
    """A market of one slot at noon of a dozen homes, with more of what is given."""

    def made(**fields: object) -> ms.Scenario:
        fields = {"market": {"slots": 12, "open": (12, 12)}} | fields
        return ms.Scenario(name="noon", population=12, **fields)  # type: ignore[arg-type]

    return made


def contents(run: ms.Run | Path, *, ledger: bool = True) -> dict[str, bytes]:
    """What the files of a run hold, but for how and when it was made."""
    folder = run if isinstance(run, Path) else run.folder
    files = (path for path in folder.rglob("*") if path.is_file())
    others = {"manifest.json"} if ledger else {"manifest.json", "ledger.db"}
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name not in others}
