"""What a service serves: runs, and the corpora that they are asked about."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from data_modules.corpus import Corpus
from trace_lit import __version__
from trace_lit.config import ConfigError
from trace_lit.inference import AlignedRun, Index, LoadedRun, TunedRun
from trace_lit.inference.index_files import has_index
from trace_lit.inference.load import load
from trace_lit.plain import at_home
from trace_lit.runs.folder import Place
from trace_lit.service.errors import UnknownError
from trace_lit.service.kept import IndexSearch
from trace_lit.service.predicting import Predictor
from trace_lit.service.searchable import CorpusSearch, Searchable
from trace_lit.settings import retrieves

_log = logging.getLogger(__name__)


class Served:
    """The runs and corpora of one service, by name.

    Parameters
    ----------
    runs
        Run folders, checkpoints or "universal".
    corpora
        Corpus folders or CSV files that aligned runs search; by default those that a run was trained on.
    indexes
        Folders of indexes, which are searched in the place of corpora, by the run that each was built by.
    device, retriever, trust
        See `trace_lit.load`.
    token
        Of a cluster of Milvus that an index is in.

    Raises
    ------
    CheckpointError, ConfigError, CorpusError, RetrievalError
        One cannot be used.
    """

    def __init__(
        self,
        runs: Sequence[Place],
        corpora: Sequence[str | Path] = (),
        indexes: Sequence[str | Path] = (),
        *,
        device: str | torch.device | None = None,
        retriever: Place | None = None,
        trust: bool = False,
        token: str | None = None,
    ) -> None:
        if not runs:
            raise ConfigError("there is nothing to serve; name a run")
        self.runs: dict[str, LoadedRun] = {}
        for place in runs:
            run = load(place, device, trust=trust)
            if isinstance(run, TunedRun):
                _open_neighbours(run, retriever)
            run.keep_no_texts()
            self.runs[_free_name(_name_of(run), self.runs)] = run
        self.searchables: dict[str, Searchable] = {}
        self._opened: dict[Path, Corpus] = {}
        aligned = {name: run for name, run in self.runs.items() if isinstance(run, AlignedRun)}
        for folder in map(Path, indexes):
            self._open_index(Index.open(folder, token=token), list(aligned.values()))
        if not corpora and not indexes:
            for run in aligned.values():
                self._open_own_index(run, token)
        for name, run in aligned.items():
            has_index = any(own.model is run for own in self.searchables.values())
            for folder in [Path(given) for given in corpora] or ([] if has_index else run.own_folders()):
                shown = folder.stem if len(aligned) == 1 else f"{folder.stem}@{name}"
                shown = _free_name(shown, self.searchables)
                self.searchables[shown] = CorpusSearch(shown, run, self._open(run, folder))
        self.predictors = {
            name: Predictor(name, run, self._known(run)) for name, run in self.runs.items() if isinstance(run, TunedRun)
        }

    def _open_index(self, index: Index, runs: Sequence[AlignedRun]) -> None:
        """Search an index by the run that it was built by."""
        run = next((run for run in runs if run.checksum == index.file.space.model), None)
        if run is None:
            raise ConfigError(
                f"{index.place} was built by the run {index.info.run}, which is not among those that are served"
            )
        name = _free_name(index.place.resolve().name, self.searchables)
        self.searchables[name] = IndexSearch(name, run, index)

    def _open_own_index(self, run: AlignedRun, token: str | None) -> None:
        """Search the index in the run's folder, if it is up to date."""
        place = run.folder / "index"
        if run.checkpoint.packaged or not has_index(place):
            return
        index = Index.open(place, token=token)
        stale = index.stale(run)
        for sentence in stale:
            _log.warning("%s; until then, the corpora are embedded", sentence)
        if stale:
            index.close()
        else:
            self._open_index(index, [run])

    def _open(self, run: LoadedRun, folder: Path) -> Corpus:
        """Each corpus once, however many runs use it."""
        key = folder.resolve()
        if key not in self._opened:
            self._opened[key] = run.corpus(folder)
        return self._opened[key]

    def _known(self, run: TunedRun) -> dict[str, Corpus]:
        """The corpora that are searched, and the run's own where they are there."""
        known = {name: corpus for own in self.searchables.values() for name, corpus in own.corpora().items()}
        distinct = {corpus.fingerprint for corpus in known.values()}
        for folder in run.checkpoint.built:
            if folder.exists() and (corpus := self._open(run, folder)).fingerprint not in distinct:
                known[_free_name(folder.stem, known)] = corpus
        return known

    def without_paths(self, message: str) -> str:
        """A message with names in place of folders: where things lie is no client's business."""
        known = {str(run.folder): name for name, run in self.runs.items()}
        known |= {str(corpus.path): corpus.path.name for corpus in self._opened.values()}
        known |= {str(own.index.place): name for name, own in self.searchables.items() if isinstance(own, IndexSearch)}
        known |= {own.config.rag.run: "the retriever" for own in self.runs.values() if own.config.rag.run}
        for path in sorted(known, key=len, reverse=True):
            message = message.replace(path, known[path])
        return message

    def prepare(self) -> None:
        """Embed the corpora, and load what texts are encoded with."""
        for name, own in self.searchables.items():
            _log.info("opening %s" if own.kept else "embedding %s", name)
            own.prepare()
            own.embed_texts(["a first question"])

    def searchable(self, name: str | None) -> Searchable:
        """That with the name of a corpus; the first by default.

        Raises
        ------
        UnknownError
            There is none.
        """
        return _chosen(self.searchables, name, "corpus to search")

    def predictor(self, name: str | None, task: str) -> Predictor:
        """The tuned run with this name; the first of the task by default.

        Raises
        ------
        UnknownError
            There is none.
        """
        fitting = {key: own for key, own in self.predictors.items() if own.task == task}
        return _chosen(fitting, name, f"run to {task} with")

    def run(self, name: str) -> LoadedRun:
        """The run with this name.

        Raises
        ------
        UnknownError
            There is none.
        """
        return _chosen(self.runs, name, "model")

    def info(self) -> dict[str, Any]:
        """What clients may ask about, in plain types."""
        return {
            "name": "trace_lit",
            "version": __version__,
            "models": [self._model_info(name, run) for name, run in self.runs.items()],
            "corpora": [corpus_info(own) for own in self.searchables.values()],
        }

    def _model_info(self, name: str, run: LoadedRun) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": name,
            "stage": run.stage,
            "channels": _channels(run.channels),
            "frequency": run.frequency,
            "label_names": list(run.label_names),
        }
        if name in self.predictors:
            config, predictor = run.config, self.predictors[name]
            found |= {"task": predictor.task, "corpora": list(predictor.corpora), "lookback": config.window.lookback}
            found["needs"] = predictor.run.needs._asdict()  # of a series of a client's own
            if predictor.task == "forecast":
                found |= {"horizon": config.window.horizon, "quantiles": list(config.head.quantiles)}
        else:
            found["corpora"] = [key for key, own in self.searchables.items() if own.model is run]
        return found


def _open_neighbours(run: TunedRun, retriever: Place | None) -> None:
    """Open once what each forecast would open anew."""
    if retriever is not None:
        run.use_retriever(retriever)
    given = run.config.rag.corpus
    if retrieves(run.config) and given is not None and (folder := at_home(given)).exists():
        run.search_in(run.corpus(folder))


def corpus_info(own: Searchable) -> dict[str, Any]:
    """The description of a corpus for clients, in plain types."""
    summary, info = own.summary(), own.info
    return {
        "name": own.name,
        "domain": info.domain,
        "description": info.description,
        "generated": info.generated,
        "frequency": info.frequency,
        "channels": _channels(info.channels),
        "rows": summary.rows,
        "splits": summary.splits,
        "labels": summary.labels,
        "series": summary.series,
        "many_series": summary.many_series,
        "with_text": summary.with_text,
        "index": own.kept,
        "corpora": list(own.corpora()),
        "first": summary.first.isoformat(),
        "last": summary.last.isoformat(),
    }


def _channels(channels: Any) -> list[dict[str, str]]:
    return [{"key": own.key, "name": own.name, "unit": own.unit, "description": own.description} for own in channels]


def _name_of(run: LoadedRun) -> str:
    """Like weather/align/first, as runs are kept in folders; universal."""
    if run.checkpoint.packaged:
        return "universal"
    return "/".join(run.folder.resolve().parts[-3:])


def _free_name(name: str, taken: Any) -> str:
    """The name, or with a number behind it where it is taken."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _chosen(known: dict[str, Any], name: str | None, what: str) -> Any:
    if not known:
        raise UnknownError(f"there is no {what} here; serve one")
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise UnknownError(f"there is no {what} named {name!r}; there are: {', '.join(known)}")
    return known[name]
