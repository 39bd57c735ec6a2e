"""`DomainDataModule`: one or several corpora as training and evaluation batches, and how a domain's corpus is built.

A new domain is a subclass with `domain`, `channels`, `frequency`, `label_names` and `records`; see README. A folder in
the corpus form needs no subclass at all.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import lightning as L
import numpy as np
import torch
from filelock import FileLock
from torch.utils.data import DataLoader

from data_modules.corpus import INFO_FILE, Corpus, CorpusError, CorpusInfo, Record, write_corpus
from data_modules.dataset import CorpusDataset, JointDataset
from data_modules.forecasting import OriginDataset, Series
from data_modules.samplers import DomainBatchSampler, EvaluationBatchSampler, Indices
from data_modules.splits import SPLITS
from data_modules.text_table import TextTable, text_table, whole
from data_modules.vocabulary import foreign_vocabulary, local_vocabulary, training_vocabulary
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import ConfigError, DataConfig, TuneConfig
from trace_lit.distributed import rank, world_size
from trace_lit.text import TextEncoder

if TYPE_CHECKING:  # what makes statements is read when they are wanted
    from data_modules.statement_bank import StatementBank

Source = Callable[..., tuple[CorpusInfo, Iterator[Record]]]
Loader = DataLoader[MultimodalBatch]

log = logging.getLogger(__name__)


class DomainDataModule(L.LightningDataModule):
    """The corpora of `config.corpus`, or the one that this domain builds when none is given.

    `prepare_data` builds, `setup` loads; then `vocabulary`, `label_names`, `corpora`, `corpus_names` and `datasets` are
    there. Values come in the channels' own units. Validation and test have one loader a corpus, in the order of
    `corpus_names`.

    Parameters
    ----------
    config
        What to train on.
    text
        The text encoder. Without one, batches hold no texts and the vocabulary no name vectors.
    text_unit
        A vector for each "sentence" or "token" of a text, one for the whole "document", or "none": batches hold no
        texts, only the channels' names are encoded.
    patch_length
        Windows must have as many steps.
    vocabulary
        Of a model that exists already; its channels keep their ids.
    evaluation_batch_size
        Per process; as in training by default.
    seed
        Of the order of the training batches and of random offsets.
    tune
        The windows are those that this tuning is about, with their future or their label.
    statements
        Texts made from a window's values that training batches have for each window.
    """

    domain: ClassVar[str] = ""
    channels: ClassVar[tuple[Channel, ...]] = ()
    frequency: ClassVar[str] = ""  # of the steps, like "1h", "7D" or "MS"
    sources: ClassVar[dict[str, Source]] = {}
    label_names: tuple[str, ...] = ()  # after `setup`, of all corpora
    known_labels: tuple[str, ...] = ()  # of a model that exists already; set before `setup`, they are the label names
    negatives: Callable[[int], Indices | None] | None = None  # see `DomainBatchSampler`; a miner puts itself there
    companions: int = 3

    def __init__(
        self,
        config: DataConfig,
        text: TextEncoder | None = None,
        *,
        text_unit: str = "sentence",
        patch_length: int = 1,
        vocabulary: ChannelVocabulary | None = None,
        evaluation_batch_size: int | None = None,
        seed: int = 0,
        tune: TuneConfig | None = None,
        statements: int = 0,
    ) -> None:
        super().__init__()
        self.statements = statements
        self.statement_banks: list[StatementBank] = []  # one a corpus, where there are statements
        self.config = config
        self.text = text
        self.text_unit = text_unit
        self.patch_length = patch_length
        self.evaluation_batch_size = evaluation_batch_size or config.batch_size
        self.seed = seed
        self.tune = tune
        self.known_vocabulary = vocabulary
        self.vocabulary = vocabulary or ChannelVocabulary()
        self.corpora: list[Corpus] = []
        self.datasets: dict[str, list[Any]] = {}  # split -> one a corpus: CorpusDataset, or OriginDataset to tune on

    def records(self) -> Iterator[Record]:
        """The windows of this domain, for domains without `sources`; `config.root` and `config.options` may be used."""
        raise ConfigError(
            f"data.corpus is not set, and {type(self).__name__} has neither `sources` nor its own records() to build one "
            "from; name a corpus, or give the DataModule one of these"
        )

    def build(self, out: str | Path) -> Corpus:
        """Write the corpus of the configured source to the folder `out`.

        Raises
        ------
        ConfigError
            The domain has no such source, or the source no such option.
        CorpusError
            The source's data cannot be used.
        """
        info, records = self._contents()
        return write_corpus(records, info, out)

    def _contents(self) -> tuple[CorpusInfo, Iterator[Record]]:
        config = self.config
        if not self.sources:
            info = CorpusInfo(
                self.domain, self.domain, type(self).__name__, self.channels, self.frequency, self.label_names
            )
            return info, self.records()
        if config.source not in self.sources:
            raise ConfigError(
                f"data.source is {config.source!r}; the domain {self.domain} offers {', '.join(self.sources)}"
            )
        source = self.sources[config.source]
        parameters = dict(inspect.signature(source).parameters)
        if parameters.pop("root", None) is None:
            return source(**_options(config, parameters))
        if config.root is None:
            raise ConfigError(
                f"data.root is not set; the source {config.source!r} reads the upstream data in that folder "
                "(--root or data.root=FOLDER)"
            )
        return source(root=Path(config.root).expanduser(), **_options(config, parameters))

    def corpus_paths(self) -> list[Path]:
        """The corpus folders: those of the configuration, or the one in `cache_dir` that `prepare_data` builds."""
        given = self.config.corpus
        if given is None:
            return [self._cached_corpus()]
        folders = given if isinstance(given, list) else [given]
        if not folders or not all(isinstance(folder, (str, Path)) for folder in folders):
            raise ConfigError(f"data.corpus is {given!r}; it must be a corpus folder or a list of them")
        return [Path(folder).expanduser() for folder in folders]

    def _cached_corpus(self) -> Path:
        """Named by all that the corpus depends on, so that a change of it is a new folder."""
        config = self.config
        source = config.source if self.sources else "records"
        origin = [type(self).__qualname__, source, config.options, _listing(config.root), _code(type(self))]
        digest = hashlib.sha256(json.dumps(origin, sort_keys=True, default=str).encode()).hexdigest()
        return Path(config.cache_dir).expanduser() / f"{self.domain}-{source}-{digest[:12]}"

    def prepare_data(self) -> None:
        """Build the corpus unless it is given or was built before; processes that ask at once build it once."""
        if self.config.corpus is not None:
            return
        folder = self._cached_corpus()
        if (folder / INFO_FILE).is_file():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.parent / f".{folder.name}.lock"
        try:
            with FileLock(lock):
                if not (folder / INFO_FILE).is_file():
                    log.info("building the corpus %s", folder)
                    self.build(folder)
        except BaseException:
            lock.unlink(missing_ok=True)
            with suppress(OSError):  # other corpora are there
                folder.parent.rmdir()
            raise

    def setup(self, stage: str | None = None) -> None:
        """Load the corpora, encode their texts and settle the vocabulary; a second call changes nothing.

        A channel that the given vocabulary does not hold gets its training statistics where `stage` is "fit", since the
        model will be trained on it, and counts as never seen otherwise. With `config.usual` "corpus", all channels have
        the statistics of the corpora at hand.

        Raises
        ------
        CorpusError
            A corpus cannot be used.
        """
        if self.corpora:
            return
        corpora = [Corpus.load(path) for path in self.corpus_paths()]
        for corpus in corpora:
            corpus.check()
            self._check_lengths(corpus)
        if self.known_vocabulary is None or stage == "fit":
            self.vocabulary = training_vocabulary(corpora, self.text, self.known_vocabulary)
        else:
            extended = local_vocabulary if self.config.usual == "corpus" else foreign_vocabulary
            self.vocabulary = extended(corpora, self.text, self.known_vocabulary)
        self.label_names = self._labels(corpora)
        if self.statements and stage == "fit" and self.tune is None:
            self.statement_banks = self._banks(corpora)
        self.datasets = self._rows(corpora) if self.tune is None else self._origins(corpora, self.tune)
        self.corpora = corpora

    def _labels(self, corpora: list[Corpus]) -> tuple[str, ...]:
        """Those of all corpora, or those that are known, where a model tells them already."""
        if not self.known_labels:
            return tuple(dict.fromkeys(name for corpus in corpora for name in corpus.info.label_names))
        for corpus in corpora:
            if unknown := [name for name in corpus.info.label_names if name not in self.known_labels]:
                raise CorpusError(
                    f"{corpus.path} has the label {unknown[0]!r}, which the model does not tell; "
                    f"it tells {', '.join(self.known_labels)}"
                )
        return self.known_labels

    def _banks(self, corpora: list[Corpus]) -> list[StatementBank]:
        """The statements on each corpus's training rows."""
        from data_modules.statement_bank import StatementBank

        rows = [np.array(corpus.select("train"), dtype=np.int64) for corpus in corpora]
        first = np.cumsum([0, *map(len, rows)]).tolist()
        return [
            StatementBank(corpus, own, self.text, self.text_unit, start, self.statements, self.seed)
            for corpus, own, start in zip(corpora, rows, first, strict=False)
        ]

    def _rows(self, corpora: list[Corpus]) -> dict[str, list[Any]]:
        """Every row is a window."""
        encoder = None if self.text_unit == "none" else self.text
        texts = text_table(
            (text for corpus in corpora for text in corpus.texts),
            encoder,
            self.text_unit,
            kind="query",  # it is what people ask with
        )
        channel_texts = TextTable(
            (text for corpus in corpora for own in corpus.channel_texts for text in own), encoder, whole
        )
        return {
            split: [
                CorpusDataset(
                    corpus,
                    split,
                    self.vocabulary,
                    texts,
                    channel_texts,
                    label_names=self.label_names,
                    random_offset=self.config.random_offset,
                    jitter=self.config.jitter,
                    zero_is_missing=self.config.zero_is_missing,
                    seed=self.seed,
                    statements=self.statement_banks[number] if split == "train" and self.statement_banks else None,
                )
                for number, corpus in enumerate(corpora)
            ]
            for split in SPLITS
        }

    def _origins(self, corpora: list[Corpus], tune: TuneConfig) -> dict[str, list[Any]]:
        """The windows stand around origins, and are of one length."""
        tune = replace(tune, lookback=tune.lookback or max(int(corpus.lengths.max()) for corpus in corpora))
        series = [Series.of(corpus, tune.split) for corpus in corpora]
        datasets = {
            split: [
                OriginDataset(
                    corpus,
                    own,
                    split,
                    tune,
                    self.vocabulary,
                    label_names=self.label_names,
                    zero_is_missing=self.config.zero_is_missing,
                )
                for corpus, own in zip(corpora, series, strict=True)
            ]
            for split in SPLITS
        }
        if self.text is not None and self.text_unit != "none":
            everything = [dataset for own in datasets.values() for dataset in own]
            told = (text for dataset in everything for text in dataset.texts)
            table = text_table(told, self.text, self.text_unit, kind="query")
            for dataset in everything:
                dataset.read_with(table)
        return datasets

    def _check_lengths(self, corpus: Corpus) -> None:
        if self.tune is not None and self.tune.lookback is not None:
            if self.tune.lookback < self.patch_length:
                raise ConfigError(
                    f"tune.lookback is {self.tune.lookback}, shorter than a patch (encoder.patch_length={self.patch_length})"
                )
            return
        shortest = int(corpus.lengths.argmin())
        steps = int(corpus.lengths[shortest])
        if steps < self.patch_length:
            raise CorpusError(
                f"{corpus.path}: window {corpus.ids[shortest]!r} has {steps} steps and is shorter than a patch of "
                f"{self.patch_length}; build the corpus with longer windows or set encoder.patch_length to "
                f"at most {steps}"
            )

    @property
    def corpus_names(self) -> list[str]:
        """A short name for each corpus: its domain, or more where domains are not enough to tell them apart."""
        infos = [corpus.info for corpus in self.corpora]
        names = [info.domain for info in infos]
        if len(set(names)) < len(names):
            names = [info.name if info.domain in info.name else f"{info.domain}-{info.name}" for info in infos]
        if len(set(names)) < len(names):
            names = [f"{name}-{number}" for number, name in enumerate(names, start=1)]
        return names

    @property
    def data_fingerprint(self) -> str:
        """The fingerprints of the corpora, joined by commas."""
        return ",".join(corpus.fingerprint for corpus in self.corpora)

    def train_dataloader(self) -> Loader:
        """Batches of the training split in random order, each of one corpus; this process's shard."""
        datasets = self._datasets("train")
        sampler = DomainBatchSampler(
            [len(dataset) for dataset in datasets],
            self.config.batch_size,
            mixing_exponent=self.config.mixing_exponent,
            seed=self.seed,
            rank=rank(),
            world_size=world_size(),
            negatives=self.negatives,
            companions=self.companions,
        )
        if self.trainer is not None:
            # Lightning makes the first iterator of a resumed run before it tells the sampler its epoch (issue 21938).
            loop: Any = self.trainer.fit_loop  # type: ignore[attr-defined]
            done = loop.epoch_loop.batch_progress.current.processed if loop.restarting else 0
            sampler.set_epoch(loop.epoch_progress.current.processed, first_batch=done)
        workers = self.config.num_workers
        return DataLoader(
            JointDataset(datasets),
            batch_sampler=sampler,
            collate_fn=_as_it_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_apart,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),  # its own, so that loading draws nothing from the model's
        )

    def val_dataloader(self) -> list[Loader]:
        return self.split_dataloader("validation")

    def test_dataloader(self) -> list[Loader]:
        return self.split_dataloader("test")

    def split_dataloader(self, split: str) -> list[Loader]:
        """For each corpus, its split in order, each instance once over all processes.

        The batches are made in this process: tensor indexing takes less than sending a batch from a worker would.
        """
        loaders = []
        for dataset in self._datasets(split):
            sampler = EvaluationBatchSampler(
                len(dataset), self.evaluation_batch_size, rank=rank(), world_size=world_size()
            )
            loaders.append(
                DataLoader(
                    dataset,
                    batch_sampler=sampler,
                    collate_fn=_as_it_is,
                    pin_memory=torch.cuda.is_available(),
                    generator=torch.Generator(),
                )
            )
        return loaders

    def _datasets(self, split: str) -> list[CorpusDataset]:
        if split not in SPLITS:
            raise CorpusError(f"there is no split {split!r}; the splits are {', '.join(SPLITS)}")
        if not self.corpora:
            raise RuntimeError("call prepare_data() and setup() first")
        for dataset in self.datasets[split]:
            if not len(dataset):
                path = dataset.corpus.path
                if self.tune is None:
                    raise CorpusError(f"{path} has no rows in the split {split!r}; build it with more windows")
                if self.tune.task == "classify":
                    raise CorpusError(
                        f"{path} has no row with a label in the split {split!r}; build it with labels there"
                    )
                raise CorpusError(
                    f"{path} has no window in the split {split!r} with a look-back of {dataset.lookback} and a horizon of "
                    f"{dataset.horizon} steps; lower tune.lookback or tune.horizon, or build it from longer series"
                )
        return self.datasets[split]


def _apart(worker: int) -> None:
    """Let Ctrl-C and what a scheduler sends to all of a job reach the training only, which ends its workers itself."""
    os.setpgid(0, 0)


def _as_it_is(batch: Any) -> Any:
    """The dataset has collated already."""
    return batch


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


def _listing(root: str | None) -> list[tuple[str, int, int]]:
    """Name, size and time of every file of the upstream data."""
    if root is None:
        return []
    found = []
    for folder, _, names in os.walk(Path(root).expanduser().resolve()):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
    return sorted(found)


def _code(domain: type[DomainDataModule]) -> list[str]:
    """A digest of each file whose code decides what a built corpus holds."""
    here = Path(__file__).parent
    files = {here / name for name in ("corpus.py", "describe.py", "frequency.py", "splits.py")}
    files |= set((here / "sources").rglob("*.py"))
    for base in domain.__mro__[: domain.__mro__.index(DomainDataModule)]:
        file = getattr(sys.modules[base.__module__], "__file__", None)
        files |= {Path(file)} if file else set()
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
