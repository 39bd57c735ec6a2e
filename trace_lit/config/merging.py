"""Merging of a configuration: dataclasses are its schema and its defaults, YAML files and `key=value` words change it.

A key that does not exist and a value of the wrong type raise `ConfigError`, which names the key, where it was written
and the nearest valid key. Keys that hold text take a word of the command line as it is written: `run.name=010` is "010".
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trace_lit.config.errors import ConfigError
from trace_lit.config.fields import is_text
from trace_lit.nearest import nearest_place
from trace_lit.plain import PlainError, check_yaml, read_text

_GIVEN = "_given_keys"
_YAML_BYTES = 2**18
Rename = Callable[[dict[str, Any], str], dict[str, Any]]  # of a layer and its origin: the layer with today's keys


def merge_layers(
    schema: type,
    paths: Sequence[str | Path] = (),
    words: Sequence[str] = (),
    rename: Rename = lambda layer, origin: layer,
) -> Any:
    """An object of `schema` from its defaults, the YAML files `paths` and the `key=value` `words`, left to right.

    Any key may stand below one that holds a mapping. See `given_keys` for those that the layers have given.

    Parameters
    ----------
    rename
        Brings each layer, nested plain types, to today's keys.

    Raises
    ------
    ConfigError
        A file cannot be read, a key does not exist, a value has the wrong type, or an interpolation leads nowhere.
    """
    merged = _defaults(schema)
    given: set[str] = set()
    layers = [(str(path), _read_yaml(schema, Path(path))) for path in paths]
    layers += [(f"{_shortened(word)} on the command line", _read_word(schema, word)) for word in words]
    for origin, layer in layers:
        merged, keys = _merge(schema, merged, layer, origin, rename)
        given |= keys
    try:
        config: Any = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:  # an interpolation leads nowhere
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error
    setattr(config, _GIVEN, frozenset(given))
    return config


def given_keys(config: Any) -> frozenset[str]:
    """The dotted keys that were given: those of files and words, and all whose values are not the defaults."""
    usual = flatten(to_plain(type(config)()))
    changed = {key for key, value in flatten(to_plain(config)).items() if key not in usual or value != usual[key]}
    return getattr(config, _GIVEN, frozenset()) | changed


def to_plain(config: Any) -> dict[str, Any]:
    """The configuration as nested plain types."""
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_plain(value)
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(own) for own in value]
    return str(value) if isinstance(value, str) else value


def from_plain(schema: type, values: dict[str, Any]) -> Any:
    """The inverse of `to_plain`; OmegaConfBaseException where `values` do not fit the `schema`.

    What a run has kept holds no interpolations; one in it is refused, for it would read what the file has no business with.

    Raises
    ------
    ConfigError
        `values` hold an interpolation, or a key that the schema has not.
    """
    for key, value in flatten(values).items():
        if "${" in str(value):
            raise ConfigError(f"{key} is {value!r}; an interpolation like ${{…}} is not read from a run's own files")
    return OmegaConf.to_object(OmegaConf.unsafe_merge(_defaults(schema), OmegaConf.create(values)))


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted keys; an empty mapping is a value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _merge(
    schema: type, config: DictConfig, layer: DictConfig, origin: str, rename: Rename
) -> tuple[DictConfig, set[str]]:
    """`config` with what `layer` changes, and the keys that it gives."""
    plain = OmegaConf.to_container(layer, resolve=False)
    assert isinstance(plain, dict)
    layer = OmegaConf.create(rename({str(key): value for key, value in plain.items()}, origin))
    leaves, free = _leaves(schema)
    sections = {leaf.rpartition(".")[0] for leaf in leaves}
    keys = list(flatten(OmegaConf.to_container(layer, resolve=False)))  # type: ignore[arg-type]
    for key in keys:
        if key not in leaves and key not in sections and not key.startswith(free):
            raise ConfigError(f"{origin}: no key {key!r}; the nearest is {_nearest(key, leaves)!r}")
    try:
        merged = OmegaConf.unsafe_merge(config, layer)
    except (OmegaConfBaseException, TypeError, ValueError) as error:  # a list where a mapping belongs
        key = getattr(error, "full_key", None) or _refused(config, layer, keys)
        problem = "a list is needed, written like [a, b]" if "ListConfig" in str(error) else str(error).splitlines()[0]
        raise ConfigError(f"{origin}: {key}: {problem}") from error
    assert isinstance(merged, DictConfig)
    return merged, set(keys)


def _defaults(schema: type) -> DictConfig:
    """The schema with its defaults, which the caller may change."""
    return copy.deepcopy(_structured(schema))  # a fifth of the time that it takes to make one


@cache
def _structured(schema: type) -> DictConfig:
    return OmegaConf.structured(schema)


@cache
def _leaves(schema: type) -> tuple[list[str], tuple[str, ...]]:
    """The dotted keys of a schema, and the beginnings of those that stand below a mapping."""
    return list(flatten(to_plain(schema()))), tuple(f"{name}." for name in _mappings(schema))


def _mappings(schema: type, prefix: str = "") -> Iterator[str]:
    """The dotted keys that hold a mapping."""
    for name, kind in get_type_hints(schema).items():
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            yield from _mappings(kind, f"{prefix}{name}.")
        elif dict in (get_origin(kind), *map(get_origin, get_args(kind))):
            yield f"{prefix}{name}"


def _nearest(key: str, leaves: Sequence[str]) -> str:
    """The leaf that was most likely meant: a like name, its beginning or initials, rather in the same section."""
    section, _, name = key.rpartition(".")
    if section in leaves:
        return section

    def alike(one: str, other: str) -> float:
        return difflib.SequenceMatcher(None, one, other).ratio() if one else 0.0

    def likeness(leaf: str) -> float:
        own_section, _, own_name = leaf.rpartition(".")
        initials = "".join(word[:1] for word in own_name.split("_"))
        begun = 1.0 if name and own_name.startswith(name) else 0.0
        return 2 * max(alike(name, own_name), alike(name, initials), begun) + alike(section, own_section)

    return max(leaves, key=likeness)


def _refused(config: DictConfig, layer: DictConfig, keys: Iterable[str]) -> str:
    """The one of the `keys` of `layer` whose value the configuration does not take."""
    trial = copy.deepcopy(config)
    for key in keys:
        try:
            OmegaConf.update(trial, key, OmegaConf.select(layer, key))
        except (OmegaConfBaseException, TypeError, ValueError):
            return key
    return "top level"


def _read_yaml(schema: type, path: Path) -> DictConfig:
    try:
        text = read_text(path, _YAML_BYTES)
        check_yaml(text)
        layer = OmegaConf.load(path)
        raw = yaml.load(text, Loader=yaml.BaseLoader)
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {path}{nearest_place(path)}") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" (line {error.problem_mark.line + 1})"
        raise ConfigError(f"{path} is not YAML: {error.problem}{line}") from error
    except PlainError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    except (yaml.YAMLError, OSError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(layer, DictConfig):
        raise ConfigError(f"{path} must hold a mapping of keys, like 'optim: {{learning_rate: 1e-3}}'")
    return _with_text_as_written(schema, layer, raw)


def _with_text_as_written(schema: type, layer: DictConfig, raw: Any) -> DictConfig:
    """`layer` with the values of keys that hold text as they stand in the file: 010 is "010", not 8."""
    plain = OmegaConf.to_container(layer, resolve=False)
    assert isinstance(plain, dict)
    for key, value in flatten({str(name): own for name, own in plain.items()}).items():
        if isinstance(value, str | list | dict | None) or not _holds_text(schema, key):
            continue
        written = raw
        for part in key.split("."):
            written = written.get(part) if isinstance(written, dict) else None
        if isinstance(written, str):
            OmegaConf.update(layer, key, written)
    return layer


def _read_word(schema: type, word: str) -> DictConfig:
    """A `key=value` of the command line; the value of a key that holds text is taken as it is written."""
    if "=" not in word:
        raise ConfigError(f"{word!r} on the command line: expected key=value")
    key, _, value = word.partition("=")
    if (kind := _text_kind(schema, key)) is not None and (kind is str or value not in ("null", "")):
        nested: Any = _text_list(value) if kind is Any and value.startswith("[") else value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        return OmegaConf.create(nested)
    try:
        check_yaml(value)
        return OmegaConf.from_dotlist([word])
    except PlainError as error:
        raise ConfigError(f"{_shortened(word)} on the command line: {key}: it is not YAML: {error}") from None
    except (yaml.YAMLError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        raise ConfigError(f"{_shortened(word)} on the command line: {key}: {value[:60]!r} is not YAML") from None


def _shortened(word: str) -> str:
    return repr(word if len(word) < 200 else f"{word[:200]}…")


def _text_list(value: str) -> list[str]:
    """The texts of a list like `[a, "b, c", heat [K]]`, as they are written."""
    try:
        listed = yaml.load(value, Loader=yaml.BaseLoader)
        if isinstance(listed, list) and all(isinstance(own, str) for own in listed):
            return listed
    except (yaml.YAMLError, RecursionError):
        pass  # a name with brackets
    depth, parts = 0, [""]
    for letter in value.strip().removeprefix("[").removesuffix("]"):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip().strip("\"'") for part in parts if part.strip()]


def _holds_text(schema: type, key: str) -> bool:
    """Whether the dotted `key` holds a text, or, as `option(text=True)` says, a text or a list of them."""
    return _text_kind(schema, key) is not None


def _text_kind(schema: type, key: str) -> Any:
    """What the dotted `key` holds: str, `str | None`, Any (a text or a list of them), or None where it holds no text."""
    kind: Any = schema
    text = False
    for part in key.split("."):
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            return None
        field = {own.name: own for own in dataclasses.fields(kind)}.get(part)
        if field is None:
            return None
        text, kind = is_text(field), get_type_hints(kind)[part]
    if text:
        return Any
    return kind if kind in (str, str | None) else None
