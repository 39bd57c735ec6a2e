"""Classes named in a configuration, as `package.module:Class`."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from trace_lit.config.errors import ConfigError


def import_class(path: str, base: type, key: str) -> Any:
    """The class `path`, a "package.module:Class" that is a `base`; modules in the current folder are found, too.

    The current folder is searched last, so that a user's own `callbacks.py` never takes the place of a package.

    Raises
    ------
    ConfigError
        There is no such module or class, or it is no `base`. It names the configuration's `key`.
    """
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
        offered = [
            own
            for own, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == name
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
