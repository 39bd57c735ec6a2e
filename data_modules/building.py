"""Building a domain's corpus from its source, and keeping what was built."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_modules.config import DataConfig
from data_modules.corpus import INFO_FILE, Corpus, CorpusInfo, Record, write_corpus
from trace_lit.config import ConfigError, ForeignPath
from trace_lit.holding import held

if TYPE_CHECKING:  # which imports Lightning
    from data_modules.domain import DomainDataModule

log = logging.getLogger(__name__)


def build_corpus(domain: type[DomainDataModule], config: DataConfig, out: str | Path) -> Corpus:
    """Write the corpus of the configured source of `domain` to the folder `out`.

    Raises
    ------
    ConfigError
        The domain has no such source, or the source no such option.
    CorpusError
        The source's data cannot be used.
    """
    info, records = _contents(domain, config)
    return write_corpus(records, info, out)


def named_folders(config: DataConfig) -> list[Path]:
    """The corpus folders that `data.corpus` names; none where a corpus is to be built.

    Raises
    ------
    ConfigError
        It is neither a folder nor a list of them.
    """
    given = config.corpus
    if given is None:
        return []
    listed = given if isinstance(given, list) else [given]
    if not listed or not all(isinstance(folder, (str, Path)) for folder in listed):
        raise ConfigError(f"data.corpus is {given!r}; it must be a corpus folder or a list of them")
    return [Path(folder).expanduser() for folder in listed]


class CorpusCache:
    """The corpora of a configuration: the folders that it names, or the one that its domain builds in `cache_dir`.

    A built corpus is named by all that it depends on (source, options, upstream files, code), so that a change of these
    builds another one.
    """

    def __init__(self, domain: type[DomainDataModule], config: DataConfig) -> None:
        self.domain = domain
        self.config = config

    def folders(self) -> list[Path]:
        """The corpus folders; that of a corpus to be built may not be there yet.

        Raises
        ------
        ConfigError
            `data.corpus` is neither a folder nor a list of them.
        """
        return named_folders(self.config) or [self._built()]

    def prepare(self) -> list[Path]:
        """The corpus folders, built where they have to be; processes that ask at once build a corpus once."""
        folders = self.folders()
        if self.config.corpus is not None or (folders[0] / INFO_FILE).is_file():
            return folders
        folder = folders[0]
        with held(folder, wait=True):
            if not (folder / INFO_FILE).is_file():
                log.info("building the corpus %s", folder)
                build_corpus(self.domain, self.config, folder)
        return folders

    def _built(self) -> Path:
        config = self.config
        source = config.source if self.domain.sources else "records"
        inside = Path(config.cache_dir).expanduser().resolve()
        origin = [
            self.domain.__qualname__,
            source,
            config.options,
            _listing(config.root, inside),
            *(_listing(place, inside) for place in _named_places(config.options)),
            _code(self.domain),
        ]
        digest = hashlib.sha256(json.dumps(origin, sort_keys=True, default=str).encode()).hexdigest()
        return Path(config.cache_dir).expanduser() / f"{self.domain.domain}-{source}-{digest[:12]}"


def _contents(domain: type[DomainDataModule], config: DataConfig) -> tuple[CorpusInfo, Iterator[Record]]:
    """What the corpus is about, and its records."""
    if not domain.sources:
        info = CorpusInfo(
            domain.domain, domain.domain, domain.__name__, domain.channels, domain.frequency, domain.label_names
        )
        return info, domain(config).records()
    if config.source not in domain.sources:
        raise ConfigError(
            f"data.source is {config.source!r}; the domain {domain.domain} offers {', '.join(domain.sources)}"
        )
    source = domain.sources[config.source]
    parameters = dict(inspect.signature(source).parameters)
    if parameters.pop("root", None) is None:
        return source(**_options(config, parameters))
    if config.root is None:
        raise ConfigError(
            f"data.root is not set; the source {config.source!r} reads the upstream data in that folder "
            "(--root or data.root=FOLDER)"
        )
    if config.source == "hf" and isinstance(config.root, ForeignPath) and not Path(config.root).expanduser().exists():
        raise ConfigError(
            f"{config.root.origin} names the data set {str(config.root)!r} of the Hugging Face hub, which is not fetched "
            "just because a run's file says so: name a corpus, or add --trust (in Python, trust=True) if you trust its maker"
        )
    return source(root=Path(config.root).expanduser(), **_options(config, parameters))


def _options(config: DataConfig, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """`config.options`, fit to be the arguments of a source with these parameters."""
    offered = f"its options are {', '.join(parameters) or 'none'}"
    for key in config.options:
        if key not in parameters:
            raise ConfigError(f"data.options.{key}: the source {config.source!r} has no such option; {offered}")
        default, value = parameters[key].default, config.options[key]
        if isinstance(default, (bool, int, str)) and type(value) is not type(default):
            raise ConfigError(f"data.options.{key} is {value!r}; it must be of type {type(default).__name__}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in config.options:
            raise ConfigError(f"data.options.{name} is not set; the source {config.source!r} needs it; {offered}")
    return dict(config.options)


def _named_places(options: Mapping[str, Any]) -> list[str]:
    """The files and folders that options name: their content is upstream data, too."""
    values = [own for _, value in sorted(options.items()) for own in (value if isinstance(value, list) else [value])]
    named = [value for value in values if isinstance(value, str) and value]
    return [value for value in named if Path(value).expanduser().exists()]


def _listing(root: str | None, inside: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of every file of the upstream data; what was built `inside` of it is not upstream."""
    if root is None:
        return []
    place = Path(root).expanduser().resolve()
    if place.is_file():
        return [(str(place), place.stat().st_size, place.stat().st_mtime_ns)]
    found = []
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if Path(folder, name) != inside]
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
    return sorted(found)


def _code(domain: type[DomainDataModule]) -> list[str]:
    """A digest of each file whose code decides what a built corpus holds."""
    here = Path(__file__).parent
    files = {here / name for name in ("assembly.py", "describe.py", "frequency.py", "schema.py", "splits.py")}
    files |= set((here / "sources").rglob("*.py"))
    for base in domain.__mro__:
        if base.__module__ == "data_modules.domain":
            break
        file = getattr(sys.modules[base.__module__], "__file__", None)
        files |= {Path(file)} if file else set()
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
