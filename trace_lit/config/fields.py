"""Fields of a configuration section: each with its meaning, its allowed values and its bounds.

A section is a dataclass. `check_section` checks every field against its own metadata and then calls the section's
`check`, if it has one, for rules between its fields. `list_keys` tells all of it, for `trace-lit keys` and the docs.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, get_args, get_origin, get_type_hints

from trace_lit.config.class_paths import ForeignPath, is_class_path
from trace_lit.config.errors import ConfigError

_METADATA = "trace_lit"
_MOST = 10**18  # whole number that arrays count with


@dataclass(frozen=True)
class _Rules:
    meaning: str
    allowed: tuple[Any, ...] | None
    at_least: float | None
    at_most: float | None
    above: float | None
    below: float | None
    class_path: bool
    text: bool
    hub: bool

    def problem(self, value: Any) -> str | None:
        """What `value` must be, where it is not."""
        if self.allowed is not None and value not in self.allowed and not (self.class_path and is_class_path(value)):
            path = ", or 'package.module:Class'" if self.class_path else ""
            return f"must be one of {', '.join(map(repr, self.allowed))}{path}"
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return None
        if abs(value) >= _MOST and isinstance(value, int):
            return "must be a whole number of at most 18 digits"
        if isinstance(value, int) and self.above is None and self.at_most is None and self.below is None:
            outside = self.at_least is not None and value < self.at_least
            return f"must be at least {self.at_least:g}" if outside else None
        inside = (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )
        return None if inside else self.range()

    def range(self) -> str | None:
        """The bounds in words; None where there are none."""
        low = self.at_least if self.above is None else self.above
        high = self.at_most if self.below is None else self.below
        if low is not None and high is not None:
            excluded = [number for number, given in ((low, self.above), (high, self.below)) if given is not None]
            words = {0: "", 1: f", {excluded[0]:g} excluded" if excluded else "", 2: ", both excluded"}[len(excluded)]
            return f"must lie between {low:g} and {high:g}{words}"
        if low is not None and self.above is not None:
            return "must be positive and finite" if low == 0 else f"must be above {low:g} and finite"
        if low is not None:
            return "must be 0 or positive" if low == 0 else f"must be at least {low:g} and finite"
        return None if high is None else f"must be {'below' if self.below is not None else 'at most'} {high:g}"


def option(
    default: Any = MISSING,
    meaning: str = "",
    *,
    factory: Callable[[], Any] | None = None,
    allowed: Sequence[Any] | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    class_path: bool = False,
    text: bool = False,
    hub: bool = False,
) -> Any:
    """A field of a configuration section.

    Parameters
    ----------
    default
        Its default value; a mutable one is copied.
    meaning
        One line that says what it does.
    allowed
        The values that it may have; None, where the field's type admits it, always may be.
    at_least, at_most, above, below
        Bounds of a number, or of each number of a list; `above` and `below` exclude the bound.
    class_path
        It may name a class as "package.module:Class", beside the `allowed` values where there are some. Of a field that
        holds lists or mappings, so may each text in them.
    text
        Of a field of any type: it holds a text, or a list of them, which is taken as it is written.
    hub
        It may name something on the Hugging Face hub, which is fetched only where the user names it, and not a run's file.

    Examples
    --------
    >>> @dataclass
    ... class Section:
    ...     rate: float = option(0.1, "share of what is drawn", at_least=0, at_most=1)
    >>> check_section("section", Section(rate=2.0))
    Traceback (most recent call last):
    trace_lit.config.errors.ConfigError: section.rate is 2.0; it must lie between 0 and 1
    """
    values = None if allowed is None else tuple(allowed)
    metadata = {_METADATA: _Rules(meaning, values, at_least, at_most, above, below, class_path, text, hub)}
    if factory is None and isinstance(default, (list, dict)):
        kept = default
        factory = lambda: copy.deepcopy(kept)  # noqa: E731
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def is_text(field: dataclasses.Field) -> bool:
    """Whether a field of any type was declared to hold text."""
    rules = field.metadata.get(_METADATA)
    return rules is not None and rules.text


def _simple_lists(section: Any) -> frozenset[str]:
    """The names of the fields that are lists of numbers or texts."""
    found = set()
    for name, hint in get_type_hints(section).items():
        if any(get_origin(own) is list and set(get_args(own)) <= {int, float, str} for own in _either(hint)):
            found.add(name)
    return frozenset(found)


def _either(hint: Any) -> tuple[Any, ...]:
    """The kinds of a union, or the one kind."""
    return get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def check_section(name: str, section: Any) -> None:
    """Raise ConfigError where a value of `section` is not allowed; its keys begin with `name`, if that is not empty."""
    simple = _simple_lists(type(section))
    for field in dataclasses.fields(section):
        rules, value = field.metadata.get(_METADATA), getattr(section, field.name)
        key = f"{name}.{field.name}" if name else field.name
        if dataclasses.is_dataclass(value):
            check_section(key, value)
        elif rules is not None and value is not None:
            several = isinstance(value, (list, tuple))
            if several and (field.name in simple or rules.text):
                for single in value:
                    if isinstance(single, (list, tuple, dict)):
                        raise ConfigError(
                            f"{key} is {list(value)!r}; it must be one list, with no list or mapping in it"
                        )
            for single in value if several else [value]:
                if (problem := rules.problem(single)) is not None:
                    whole = f"{list(value)!r}; each of it" if several else f"{value!r}; it"
                    raise ConfigError(f"{key} is {whole} {problem}")
    if name and hasattr(section, "check"):
        section.check()


def mark_foreign(section: Any, origin: str) -> None:
    """Make all class paths and names of the hub in `section` and below those of the file `origin`.

    Importing and fetching them is then refused.
    """
    for field in dataclasses.fields(section):
        rules, value = field.metadata.get(_METADATA), getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            mark_foreign(value, origin)
        elif rules is not None and rules.class_path:
            setattr(section, field.name, _foreign(value, origin))
        if rules is not None and rules.hub and isinstance(value, str):
            setattr(section, field.name, ForeignPath(value, origin))


def _foreign(value: Any, origin: str) -> Any:
    if isinstance(value, dict):
        return {key: _foreign(own, origin) for key, own in value.items()}
    if isinstance(value, list):
        return [_foreign(own, origin) for own in value]
    return ForeignPath(value, origin) if is_class_path(value) else value


@dataclass(frozen=True)
class Key:
    """One key of the configuration, as it is documented."""

    name: str  # with its section
    kind: str  # its type in words
    default: Any
    allowed: str  # its allowed values or bounds in words; empty where its type says all
    meaning: str


def list_keys(schema: type, prefix: str = "") -> Iterator[Key]:
    """All keys of a configuration, section by section, in the order in which they are declared."""
    hints = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        name, kind = f"{prefix}{field.name}", hints[field.name]
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            yield from list_keys(kind, f"{name}.")
            continue
        default = field.default if field.default_factory is MISSING else field.default_factory()
        rules = field.metadata.get(_METADATA)
        allowed = ""
        if rules is not None and rules.allowed is not None:
            allowed = ", ".join(map(str, rules.allowed)) + (" or package.module:Class" if rules.class_path else "")
        elif rules is not None:
            allowed = (rules.range() or "").removeprefix("must ").removeprefix("be ").removeprefix("lie ")
            allowed = allowed.replace("0 or positive", "at least 0") if kind in (int, int | None) else allowed
        words = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
        yield Key(name, words.replace("typing.", ""), default, allowed, rules.meaning if rules else "")
