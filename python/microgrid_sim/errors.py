"""What goes wrong, as exceptions. All of them are a `MicrogridError`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LedgerError", "MicrogridError", "ResultsError", "RuleError", "RunError", "ScenarioError", "ScenarioWarning"]


class MicrogridError(Exception):
    """Something that the simulator cannot do."""


class ScenarioError(MicrogridError, ValueError):
    """A scenario, its data or what is set in it has a mistake.

    The message is that of the command: it shows the place, what was found and what is allowed.
    """

    path: str | None
    """The file, as it was given; the name of the data, such as `profiles.csv`, if that was a frame."""
    line: int | None
    """Its line, from 1."""
    column: int | None
    """The letter of this line at which the mistake begins, from 1."""

    def __init__(self, message: str, place: tuple[str | None, int, int] | None = None) -> None:
        super().__init__(message)
        self.path, self.line, self.column = place or (None, None, None)


class ScenarioWarning(UserWarning):
    """What a scenario says is allowed, but hardly meant."""


class RunError(MicrogridError, RuntimeError):
    """A run could not be played to its end; what was done before is in its folder."""

    folder: Path | None
    """The run's folder, if there is one."""

    def __init__(self, message: str, folder: str | Path | None = None) -> None:
        super().__init__(message)
        self.folder = None if folder is None else Path(folder)


class RuleError(RunError):
    """A rule has raised something, which is the cause, or returned what is no answer; the message names prosumer and slot."""


class ResultsError(MicrogridError):
    """A run, or something in it, is not there or cannot be read."""


class LedgerError(MicrogridError):
    """A ledger does not verify: the message names the first discrepancy and where it is."""
