"""`DomainDataModule`: one or several corpora as training and evaluation batches, and how a domain's corpus is built.

A new domain is a subclass with `domain`, `channels`, `frequency`, `label_names` and `records`; see README. A folder in
the corpus form needs no subclass at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader

from data_modules.building import CorpusCache
from data_modules.config import DataConfig, WindowConfig
from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.dataset import CorpusDataset, JointDataset
from data_modules.forecasting import OriginDataset, check_labels
from data_modules.samplers import DomainBatchSampler, EvaluationBatchSampler, Indices
from data_modules.splits import SPLITS
from data_modules.stitched import Series
from data_modules.text_table import text_table
from data_modules.vocabulary import (
    foreign_vocabulary,
    local_vocabulary,
    training_vocabulary,
    usual_values,
    vocabulary_from_calm,
)
from data_modules.windows import check_lengths
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.distributed import is_first, rank, world_size
from trace_lit.text import TextEncoder

if TYPE_CHECKING:  # what makes statements is read when they are wanted
    from data_modules.held_out import HeldOutStatements
    from data_modules.statement_bank import StatementBank

Source = Callable[..., tuple[CorpusInfo, Iterator[Record]]]
Loader = DataLoader[MultimodalBatch]


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
    window
        Of the stage tune: windows lie around forecast origins, with their future or their label.
    task
        Of the stage tune: "forecast" or "classify".
    label_names
        Those of a model that exists already; the corpora must have no others.
    fingerprint
        Of the data of a run that exists already, see `data_fingerprint`; a corpus that has grown since is taken as it was.
    statements
        Texts made from a window's values that training batches have for each window.
    statement_pool
        Statements of a corpus that are drawn once, for each of its training windows.
    hold_statements
        Statements on validation windows are made also where these have texts.
    """

    domain: ClassVar[str] = ""
    channels: ClassVar[tuple[Channel, ...]] = ()
    frequency: ClassVar[str] = ""  # of the steps, like "1h", "7D" or "MS"
    sources: ClassVar[dict[str, Source]] = {}
    label_names: tuple[str, ...] = ()  # of the domain; after `setup`, of all corpora

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
        window: WindowConfig | None = None,
        task: str = "forecast",
        label_names: tuple[str, ...] = (),
        fingerprint: str = "",
        statements: int = 0,
        statement_pool: int = 48,
        hold_statements: bool = False,
    ) -> None:
        super().__init__()
        self.hold_statements = hold_statements
        self.statements, self.statement_pool = statements, statement_pool
        self.statement_banks: list[StatementBank] = []  # one a corpus, where there are statements
        self.held_out: list[HeldOutStatements] = []  # one a corpus, where they choose the best checkpoint
        self.vocabularies: list[ChannelVocabulary] = []  # one a corpus, where each has its own statistics in training
        self.config = config
        self.text = text
        self.text_unit = text_unit
        self.patch_length = patch_length
        self.evaluation_batch_size = evaluation_batch_size or config.batch_size
        self.seed = seed
        self.window = window
        self.task = task
        self._known_vocabulary = vocabulary
        self._known_labels = label_names
        self._known_fingerprints = fingerprint.split(",") if fingerprint else []
        self._negatives: Callable[[int], Indices | None] | None = None
        self._in_batch = 0
        self.vocabulary = vocabulary or ChannelVocabulary()
        self.corpora: list[Corpus] = []
        self.datasets: dict[str, list[Any]] = {}  # split -> one a corpus: CorpusDataset, or OriginDataset to tune on

    def records(self) -> Iterator[Record]:
        """The windows of this domain, for domains without `sources`; `config.root` and `config.options` may be used."""
        raise ConfigError(
            f"data.corpus is not set, and {type(self).__name__} has neither `sources` nor its own records() to build one "
            "from; name a corpus, or give the DataModule one of these"
        )

    @property
    def corpus_cache(self) -> CorpusCache:
        """Where the corpora are, or will be built."""
        return CorpusCache(type(self), self.config)

    def prepare_data(self) -> None:
        """Build the corpus unless it is given or was built before; processes that ask at once build it once."""
        self.corpus_cache.prepare()

    def setup(self, stage: str | None = None) -> None:
        """Load the corpora, encode their texts and settle the vocabulary; a second call changes nothing.

        A channel that the given vocabulary does not hold gets its training statistics where `stage` is "fit", since the
        model will be trained on it, and counts as never seen otherwise. With `config.usual` "corpus", all channels have
        the statistics of the corpora at hand; where several are trained on, `vocabularies` has each one's own.

        Raises
        ------
        CorpusError
            A corpus cannot be used.
        """
        if self.corpora:
            return
        corpora = [Corpus.load(path) for path in self.corpus_cache.folders()]
        known = self._known_fingerprints
        if len(known) == len(corpora):
            corpora = [one.as_it_was(before) or one for one, before in zip(corpora, known, strict=True)]
        for corpus in corpora:
            corpus.check()
            self._check_lengths(corpus)
        if self._known_vocabulary is None or stage == "fit":
            self.vocabulary = training_vocabulary(corpora, self.text, self._known_vocabulary)
        else:
            extended = local_vocabulary if self.config.usual == "corpus" else foreign_vocabulary
            self.vocabulary = extended(corpora, self.text, self._known_vocabulary)
        if self.config.from_calm:
            self.vocabulary = vocabulary_from_calm(self.vocabulary)
        if self.config.usual == "corpus" and stage == "fit" and len(corpora) > 1:
            calm = self.config.from_calm
            self.vocabularies = [self.vocabulary.with_statistics(usual_values([corpus], calm)) for corpus in corpora]
        self.label_names = self._labels(corpora)
        if self.statements and stage == "fit" and self.window is None:
            self.statement_banks = self._banks(corpora)
            silent = not any(corpus.texts[row].strip() for corpus in corpora for row in corpus.select("validation"))
            if silent or self.hold_statements:
                self.held_out = self._held_out(corpora)
        self.datasets = self._rows(corpora) if self.window is None else self._origins(corpora, self.window)
        self.corpora = corpora

    def _labels(self, corpora: list[Corpus]) -> tuple[str, ...]:
        """The label names of all corpora, or those of the model that exists already."""
        if not self._known_labels:
            return tuple(dict.fromkeys(name for corpus in corpora for name in corpus.info.label_names))
        for corpus in corpora:
            check_labels(corpus, self._known_labels)
        return self._known_labels

    def _banks(self, corpora: list[Corpus]) -> list[StatementBank]:
        """The statements on each corpus's training rows."""
        from data_modules.statement_bank import StatementBank
        from trace_lit.text.progress import JobProgress  # here, for rich takes a while to import

        rows = [np.array(corpus.select("train"), dtype=np.int64) for corpus in corpora]
        first = np.cumsum([0, *map(len, rows)]).tolist()
        banks = []
        with JobProgress("stating what is true of windows", first[-1], is_first()) as progress:
            for corpus, own, start in zip(corpora, rows, first, strict=False):
                banks.append(
                    StatementBank(
                        corpus, own, self.text, self.text_unit, start, self.statements, self.seed, self.statement_pool
                    )
                )
                progress.advance(len(own))
        return banks

    def _held_out(self, corpora: list[Corpus]) -> list[HeldOutStatements]:
        """Statements on each corpus's validation rows."""
        from data_modules.held_out import HeldOutStatements

        return [HeldOutStatements(corpus, self.text, self.text_unit, self.seed) for corpus in corpora]

    def _rows(self, corpora: list[Corpus]) -> dict[str, list[Any]]:
        """Every row is a window."""
        encoder = None if self.text_unit == "none" else self.text
        texts = text_table(
            (text for corpus in corpora for text in corpus.texts),
            encoder,
            self.text_unit,
            kind="query",  # it is what people ask with
        )
        channel_texts = text_table(
            (text for corpus in corpora for own in corpus.channel_texts for text in own), encoder, "document"
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

    def _origins(self, corpora: list[Corpus], window: WindowConfig) -> dict[str, list[Any]]:
        """Windows of one length around forecast origins."""
        window = replace(window, lookback=window.lookback or max(int(corpus.lengths.max()) for corpus in corpora))
        series = [Series.of(corpus, window.split) for corpus in corpora]
        datasets = {
            split: [
                OriginDataset(
                    corpus,
                    own,
                    split,
                    window,
                    self.vocabulary,
                    task=self.task,
                    label_names=self.label_names,
                    zero_is_missing=self.config.zero_is_missing,
                )
                for corpus, own in zip(corpora, series, strict=True)
            ]
            for split in SPLITS
        }
        if self.text is not None and self.text_unit != "none":
            everything = [dataset for own in datasets.values() for dataset in own]
            own_texts = (text for dataset in everything for text in dataset.texts)
            table = text_table(own_texts, self.text, self.text_unit, kind="query")
            for dataset in everything:
                dataset.read_with(table)
        return datasets

    def _check_lengths(self, corpus: Corpus) -> None:
        if self.window is not None and self.window.lookback is not None:
            if self.window.lookback < self.patch_length:
                raise ConfigError(
                    f"window.lookback is {self.window.lookback}, shorter than a patch "
                    f"(encoder.patch_length={self.patch_length})"
                )
            return
        check_lengths(corpus, self.patch_length)

    @property
    def corpus_names(self) -> list[str]:
        """A short name for each corpus: its domain, or more where two domains are the same."""
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

    def compose_batches(self, negatives: Callable[[int], Indices | None], in_batch: int) -> None:
        """Make training batches of anchors and their hard negatives, see `DomainBatchSampler`."""
        self._negatives, self._in_batch = negatives, in_batch

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
            negatives=self._negatives,
            in_batch=self._in_batch,
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
                if self.window is None:
                    raise CorpusError(f"{path} has no rows in the split {split!r}; build it with more windows")
                if self.task == "classify":
                    raise CorpusError(
                        f"{path} has no row with a label in the split {split!r}; build it with labels there"
                    )
                raise CorpusError(
                    f"{path} has no window in the split {split!r} with a look-back of {dataset.lookback} and a horizon of "
                    f"{dataset.horizon} steps; lower window.lookback or window.horizon, or build it from longer series"
                )
        return self.datasets[split]


def _apart(worker: int) -> None:
    """Keep Ctrl-C and a scheduler's signals from a worker: they are for the training, which ends its workers itself."""
    os.setpgid(0, 0)


def _as_it_is(batch: Any) -> Any:
    """The dataset has collated already."""
    return batch
