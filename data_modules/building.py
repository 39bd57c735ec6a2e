"""Building a domain's corpus from its source, and keeping what was built."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib.util
import inspect
import json
import logging
import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_modules.config import DataConfig
from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.corpus_header import INFO_FILE
from data_modules.corpus_writing import write_corpus
from data_modules.tables.counts import Counts
from trace_lit.config import ConfigError, ForeignPath
from trace_lit.holding import held
from trace_lit.nearest import nearest_name
from trace_lit.plain import at_home

if TYPE_CHECKING:  # which imports Lightning
    from data_modules.domain import DomainDataModule

log = logging.getLogger(__name__)
_INSTALLED = {Path(place).resolve() for name, place in sysconfig.get_paths().items() if name.endswith("lib")}
_INSTALLED.add(Path(sysconfig.get_path("stdlib")).resolve())
_PARSING = threading.Lock()  # Python 3.11 takes two parses at once for an error of its own
_NOT_OWN = {"data_modules", "trace_lit", "callbacks", *sys.stdlib_module_names}


def build_corpus(
    domain: type[DomainDataModule], config: DataConfig, out: str | Path, counts: Counts | None = None
) -> Corpus:
    """Write the corpus of the configured source of `domain` to the folder `out`.

    `counts` gets what the source met in the data and how it dealt with it; else this is logged.

    Raises
    ------
    ConfigError
        The domain has no such source, or the source no such option.
    CorpusError
        The source's data cannot be used.
    """
    noted = Counts() if counts is None else counts
    info, records = _contents(domain, config, noted)
    corpus = write_corpus(records, info, out)
    for line in noted.lines() if counts is None else ():
        log.info("%s", line)
    return corpus


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
    return [at_home(folder) for folder in listed]


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
        inside = at_home(config.cache_dir).resolve()
        origin = [
            self.domain.__qualname__,
            source,
            config.options,
            *self._upstream(inside),
            _code(self.domain),
        ]
        digest = hashlib.sha256(json.dumps(origin, sort_keys=True, default=str).encode()).hexdigest()
        return at_home(config.cache_dir) / f"{self.domain.domain}-{source}-{digest[:12]}"

    def _upstream(self, inside: Path) -> list[list[tuple[str, int, int]]]:
        """The files that the source reads, where it tells, or all below the root and the files that options name."""
        config = self.config
        source: Any = self.domain.sources.get(config.source)
        tells = getattr(inspect.getmodule(getattr(source, "func", source)), "upstream", None)
        if tells is not None and config.root is not None:
            files = tells(at_home(config.root), config.options)
            return [_listing(str(file), inside) for file in files]
        places = [config.root, *_named_places(config.options)]
        return [_listing(place, inside) for place in places]


def _contents(
    domain: type[DomainDataModule], config: DataConfig, counts: Counts
) -> tuple[CorpusInfo, Iterator[Record]]:
    """What the corpus is about, and its records; a source that has a parameter `counts` notes there what it met."""
    if not domain.sources:
        info = CorpusInfo(
            domain.domain, domain.domain, domain.__name__, domain.channels, domain.frequency, domain.label_names
        )
        options = _Watched(config.options)
        records = domain(dataclasses.replace(config, options=options)).records()
        if not isinstance(records, Iterable):
            raise CorpusError(f"{domain.__name__}.records gives {records!r}; it must yield a Record for each window")
        return info, _all_read(domain, options, records)
    if config.source not in domain.sources:
        raise ConfigError(
            f"data.source is {config.source!r}; the domain {domain.domain} offers {', '.join(domain.sources)}"
        )
    source = domain.sources[config.source]
    parameters = dict(inspect.signature(source).parameters)
    noting = {"counts": counts} if parameters.pop("counts", None) is not None else {}
    parameters.pop("known", None)  # no option, like the domain where it is settled
    if "domain" in getattr(source, "keywords", {}):
        parameters.pop("domain", None)
    if parameters.pop("root", None) is None:
        return source(**_options(config, parameters), **noting)
    if config.root is None:
        raise ConfigError(
            f"data.root is not set; the source {config.source!r} reads the upstream data in that folder "
            "(--root or data.root=FOLDER)"
        )
    if config.source == "hf" and isinstance(config.root, ForeignPath) and not at_home(config.root).exists():
        raise ConfigError(
            f"{config.root.origin} names the data set {str(config.root)!r} of the Hugging Face hub, which is not fetched "
            "just because a run's file says so: name a corpus, or add --trust (in Python, trust=True) if you trust its maker"
        )
    return source(root=at_home(config.root), **_options(config, parameters), **noting)


def _all_read(domain: type[DomainDataModule], options: _Watched, records: Iterator[Record]) -> Iterator[Record]:
    """The `records` of a plug-in; ConfigError at their end for an option that it has not looked at."""
    yield from records
    if unread := sorted(set(options) - options.read):
        known = ", ".join(sorted(options.read)) or "none"
        raise ConfigError(
            f"data.options.{unread[0]}: {domain.__name__} does not use this option; it uses {known}: is it "
            "spelled right?"
        )


class _Watched(dict[str, Any]):
    """Options that know which of them were looked at, and which were looked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def keys(self) -> Any:  # of ** and of loops: all of them
        self.read.update(list(super().keys()))
        return super().keys()

    def items(self) -> Any:
        self.read.update(list(super().keys()))
        return super().items()

    def values(self) -> Any:
        self.read.update(list(super().keys()))
        return super().values()


def _options(config: DataConfig, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """`config.options`, fit to be the arguments of a source with these parameters."""
    offered = f"Its options are {', '.join(parameters) or 'none'}"
    for key in config.options:
        if key not in parameters:
            near = nearest_name(key, parameters)
            meant = f"; did you mean {near}?" if near else ";"
            raise ConfigError(f"data.options.{key}: the source {config.source!r} has no such option{meant} {offered}")
        default, value = parameters[key].default, config.options[key]
        if isinstance(default, (bool, int, str)) and type(value) is not type(default):
            raise ConfigError(f"data.options.{key} is {value!r}; it must be of type {type(default).__name__}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in config.options:
            raise ConfigError(f"data.options.{name} is not set; the source {config.source!r} needs it. {offered}")
    return dict(config.options)


def _named_places(options: Mapping[str, Any]) -> list[str]:
    """The files and folders that options name: their content is upstream data, too."""
    values = [own for _, value in sorted(options.items()) for own in (value if isinstance(value, list) else [value])]
    named = [value for value in values if isinstance(value, str) and value]
    return [value for value in named if os.path.exists(at_home(value))]  # False for long texts


def _listing(root: str | None, inside: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of every file of the upstream data.

    What this program writes is not upstream: what was built `inside` of it, corpora, runs and hidden files.
    """
    if root is None:
        return []
    place = at_home(root).resolve()
    if place.is_file():
        return [(str(place), place.stat().st_size, place.stat().st_mtime_ns)]
    found = []
    for folder, folders, names in os.walk(place):
        if Path(folder) != place and _is_output(names, folders):
            folders.clear()
            continue
        folders[:] = [name for name in folders if Path(folder, name) != inside and not name.startswith((".", "__pyc"))]
        for name in names:
            if name.startswith("."):
                continue
            status = os.lstat(os.path.join(folder, name))
            found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
    return sorted(found)


def _is_output(names: list[str], folders: list[str]) -> bool:
    """Whether a folder with such files and folders in it is a corpus or a run."""
    return INFO_FILE in names or ("config.yaml" in names and ("metrics.json" in names or "checkpoints" in folders))


def _code(domain: type[DomainDataModule]) -> list[str]:
    """A digest of each file whose code decides what a built corpus holds."""
    here = Path(__file__).parent
    files = {here / name for name in ("assembly.py", "describe.py", "frequency.py", "schema.py", "splits.py")}
    files |= {*(here / "sources").rglob("*.py"), *(here / "tables").rglob("*.py")}
    for base in domain.__mro__:
        if base.__module__ == "data_modules.domain":
            break
        _add_code(base.__module__, files)
        file = getattr(sys.modules[base.__module__], "__file__", None)
        files |= {Path(file)} if file else set()
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]


def _add_code(module: str, files: set[Path]) -> None:
    """Add the file of `module`, and of all modules that it imports from the user's own files, to `files`."""
    if module.partition(".")[0] in _NOT_OWN:
        return
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):  # a name that is no module, or of a package that is none
        return
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return
    file = Path(spec.origin).resolve()
    if file in files or any(file.is_relative_to(place) for place in _INSTALLED):
        return
    files.add(file)
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    with _PARSING:
        tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            named = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in named:
            for end in range(1, name.count(".") + 2):  # the packages above it, too
                _add_code(".".join(name.split(".")[:end]), files)
