"""Python values as a scenario has them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePath
from typing import Any

__all__ = ["Ron", "flattened", "ron", "several"]


class Ron(str):
    """A text that is RON as it stands, such as `Ron("Sample(16)")` inside of a list or a dictionary.

    A knob's own value needs none: `choice_set="Sample(16)"` is read as what the knob takes.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Ron({str(self)!r})"


def plain(value: Any) -> Any:
    """A scalar of NumPy or pandas as one of Python."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", 0) == 0 else value


def ron(value: Any, *, inside: bool = False) -> str:
    """The value as RON; texts are quoted `inside` of lists and dictionaries, and stand as they are by themselves."""
    value = plain(value)
    match value:
        case Ron():
            return str(value)
        case bool():
            return "true" if value else "false"
        case float() if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        case int() | float():
            return repr(value)
        case None:
            return "None"
        case timedelta():
            text = f"{round(value.total_seconds() * 1e9)}ns"
        case str() | PurePath():
            text = str(value)
        case Mapping():
            fields = (f"{_key(key)}: {ron(part, inside=True)}" for key, part in value.items())
            names = all(isinstance(key, str) and re.fullmatch(r"[a-z_]\w*", key) for key in value)
            opened, closed = ("(", ")") if names else ("{", "}")
            return opened + ", ".join(fields) + closed
        case tuple():
            return "(" + ", ".join(ron(part, inside=True) for part in value) + ")"
        case _ if isinstance(value, Iterable):
            return "[" + ", ".join(ron(part, inside=True) for part in value) + "]"
        case _:
            raise TypeError(f"a scenario has no value of type {type(value).__name__}: {value!r}")
    return _quoted(text) if inside else text


def _key(key: Any) -> str:
    if isinstance(key, str) and re.fullmatch(r"[a-z_]\w*", key):
        return key
    return ron(key, inside=True)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def several(name: str, value: Any) -> list[str]:
    """The values of a knob: those of a list, a range or an array, which vary it, or the only one."""
    is_many = isinstance(value, (Sequence, range)) and not isinstance(value, (str, bytes, tuple))
    if is_many or (hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1):
        values = [ron(part) for part in value]
        if not values:
            raise ValueError(f"{name}: there is no value to take")
        return values
    return [ron(value)]


WHOLE = ("storage", "calendar", "imbalance")
"""Parts of a scenario that are there as a whole or not at all."""


def flattened(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    """The fields of nested dictionaries by their paths: `market.slots`."""
    is_whole = name.rsplit(".", 1)[-1] in WHOLE
    if not is_whole and isinstance(value, Mapping) and all(isinstance(key, str) and key.isidentifier() for key in value):
        for key, part in value.items():
            yield from flattened(f"{name}.{key}", part)
    else:
        yield name, value
