"""Classes named in a configuration, as `package.module:Class`.

Importing a module runs its code. So a class path is imported only where the user's own words name it: one that comes out
of a run's file is a `ForeignPath`, which `import_class` refuses.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trace_lit.config.errors import ConfigError
from trace_lit.errors import InputError

_CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_class_path(value: Any) -> bool:
    """Whether `value` is of the form "package.module:Class"."""
    return isinstance(value, str) and _CLASS_PATH.fullmatch(value) is not None


class ForeignPath(str):
    """A class path, or a name on the hub, that the file `origin` gives, and not the user."""

    origin: str

    def __new__(cls, path: str, origin: str) -> ForeignPath:
        made = super().__new__(cls, path)
        made.origin = origin
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.origin


def check_own(path: str, key: str) -> None:
    """Raise ConfigError where a file names the class `path`, and not the user."""
    if isinstance(path, ForeignPath) and is_class_path(path):
        raise ConfigError(
            f"{path.origin} names the class {str(path)!r} ({key}), which is not imported just because a run's file says so, "
            "for importing it runs its code: add --trust (in Python, trust=True) if the run is yours or you trust its maker"
        )


def import_class(path: str, base: type, key: str) -> Any:
    """The class `path`, a "package.module:Class" that is a `base`; modules in the current folder are found, too.

    The current folder is searched last, so that a user's own `callbacks.py` never takes the place of a package.

    Raises
    ------
    ConfigError
        There is no such module or class, or it is no `base`, or a run's file names it and not the user. The message names
        the configuration's `key`.
    """
    check_own(path, key)
    name, _, attribute = path.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there and lacks something that it imports
        raise ConfigError(
            f"{key} is {path!r}, but there is no module {name!r} in {here} or among the installed packages"
        ) from None
    found = getattr(module, attribute, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        # Those that are defined there, or below where a package gathers them; not what was imported to be subclassed.
        offered = [
            own
            for own, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, base) and f"{value.__module__}.".startswith(f"{name}.")
        ]
        shadowing = ""
        if (
            Path(inspect.getfile(module)).resolve().parent != Path(here).resolve()
            and Path(here, f"{name}.py").is_file()
        ):
            shadowing = f" (the installed package {name!r}, not {name}.py in {here}: rename your file)"
        raise ConfigError(
            f"{key} is {path!r}, but {attribute!r} in {name}{shadowing} is no {base.__name__}; "
            f"those there are: {', '.join(offered) or 'none'}"
        )
    return found


def build_object(path: str, base: type, key: str, *arguments: Any, options: Mapping[str, Any], **named: Any) -> Any:
    """An object of the class `path`, made of `arguments`, `named` and, by name, the user's `options`.

    Raises
    ------
    ConfigError
        As `import_class`; a method that a subclass must write is missing, or an option is missing, is none of the class, or
        has a value that the class refuses.
    """
    kind = import_class(path, base, key)
    if missing := sorted(getattr(kind, "__abstractmethods__", ())):
        raise ConfigError(f"{key} is {path!r}, which does not write {' and '.join(missing)}; see {base.__name__}")
    try:
        inspect.signature(kind).bind(*arguments, **named, **options)
    except TypeError as error:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items()) or "none"
        raise ConfigError(
            f"{key} is {path!r}, which cannot be made with the options given ({given}): {error}"
        ) from None
    try:
        return kind(*arguments, **named, **options)
    except (TypeError, ValueError) as error:
        mine = isinstance(error, InputError)  # says what is wrong by itself
        if mine or (isinstance(error, TypeError) and not re.search("keyword argument|required positional", str(error))):
            raise  # or an error of the class itself
        raise ConfigError(f"{key} is {path!r}, which cannot be made with the options given: {error}") from error
