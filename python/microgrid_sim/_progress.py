"""How far a run has come: a bar, in notebooks and on terminals."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

__all__ = ["Bar"]

PATIENCE = 1.0
"""Runs shorter than this show no bar [s]."""


class Bar:
    """Shows a bar once a run takes its time, where somebody looks: in a notebook or on a terminal."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._bar: Any = None
        self._shown = "ipykernel" in sys.modules or sys.stderr.isatty()

    def __call__(self, cases_done: int, cases: int, slots_done: int, slots: int, slots_kept: int) -> None:
        if not self._shown or (self._bar is None and time.monotonic() - self._begun < PATIENCE):
            return
        if self._bar is None:
            # Late: importing it takes longer than most runs.
            from tqdm.auto import tqdm

            self._bar = tqdm(total=slots, initial=slots_kept, unit="slot", leave=False)
        self._bar.set_postfix_str(f"{cases_done}/{cases} cases", refresh=False)
        self._bar.update(slots_done - self._bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
