"""Hard negatives mined among all training windows, to compose the batches from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data_modules.dataset import CorpusDataset
from trace_lit.alignment import (
    Instances,
    Level,
    MinedNegatives,
    NegativeCache,
    build_miner,
)
from trace_lit.alignment.config import MiningConfig
from trace_lit.batch import MultimodalBatch
from trace_lit.distributed import gather, rank, world_size
from trace_lit.retrieval import evaluation_mode

DIRECTIONS = ("text_to_series", "series_to_text")


class HardNegativeMining(L.Callback):
    """Embeds the training split as it is now, mines every anchor's hard negatives in it, and has batches made of them.

    The batch sampler asks for the table of an epoch when it makes that epoch's batches (`DomainBatchSampler.negatives`).
    So the table is mined just then, with the weights at that moment, whenever Lightning makes the iterator: before
    the epoch's hooks in a run that begins or goes on, after them later, ahead of the steps with worker processes
    (Lightning issue 21938). The table is part of the checkpoint, for runs that go on in the middle of an epoch.

    With `channels`, the (instance, channel) pairs are mined as well, and the instances of a channel's hard negatives
    join the table behind those of the whole.

    Logged once a mining, as `mining/<level>/<direction>/…`: `hardness`, the mean score of the hardest negative less the
    positive's; `outranked`, the share of anchors whose hardest admissible candidate beats the positive; `without`, the share
    of anchors that have no negative; `excluded/<rule>`, the share of all pairs that a rule leaves out. And
    `mining/seconds` and `mining/share`, of the training time so far.
    """

    def __init__(self, config: MiningConfig, seed: int = 0) -> None:
        assert config.every_n_epochs is not None
        self.config, self.seed = config, seed
        self.every = config.every_n_epochs
        self.levels = ("sample", "channel") if config.channels else ("sample",)
        self.miner = build_miner(config)
        self.epoch = -1  # of the table
        self.table: Tensor | None = None  # (N, M) int64 of all corpora's rows, nearest first; -1 where there are fewer
        self.caches: list[NegativeCache] = []  # on the CPU
        self.metrics: dict[str, float] = {}
        self.seconds = 0.0  # of mining, in the whole run
        self._elapsed = 0.0  # of training until `_since`
        self._since = time.perf_counter()

    def setup(self, trainer: L.Trainer, pl_module: Any, stage: str) -> None:
        self.trainer, self.module = trainer, pl_module
        data = trainer.datamodule  # type: ignore[attr-defined]
        data.compose_batches(self.negatives, self.config.in_batch)
        self._since = time.perf_counter()

    def negatives(self, epoch: int) -> NDArray[Any] | None:
        """The hard negatives (N, M) of every training row in `epoch`, or None before the first mining."""
        first = self.config.first_epoch
        end: Any = self.trainer.max_epochs
        if not first <= epoch < end:  # Lightning makes an iterator of a run that has ended, too
            return None
        due = epoch - (epoch - first) % self.every
        if self.epoch != due:
            self._mine(due)
        assert self.table is not None
        return self.table.numpy()

    def _mine(self, epoch: int) -> None:
        began = time.perf_counter()
        tables: list[Tensor] = []
        mined_at: dict[str, list[list[MinedNegatives]]] = {name: [] for name in self.levels}
        self.caches = []
        loaders = self.trainer.datamodule.split_dataloader("train")  # type: ignore[attr-defined]
        for number, loader in enumerate(loaders):
            self.module.enter(number)
            dataset = loader.dataset
            assert isinstance(dataset, CorpusDataset)
            first = sum(map(len, tables))
            parts = []
            for name, pairs in self._embed(loader).items():
                mined = self._mine_pairs(pairs, epoch)
                mined_at[name].append(mined)
                parts.append(pairs.by_row(mined, len(dataset)))
                if self.config.cached and name == "sample":
                    self.caches.append(pairs.cache(mined, len(dataset), first))
            table = torch.cat(parts, dim=1)
            tables.append(torch.where(table >= 0, table + first, -1))
        width = max(table.shape[1] for table in tables)
        self.table = torch.cat([F.pad(table, (0, width - table.shape[1]), value=-1) for table in tables])
        self.epoch = epoch
        self._hand_over()
        seconds = time.perf_counter() - began
        self.seconds += seconds
        self.metrics = {
            f"mining/{name}/{key}": value for name, corpora in mined_at.items() for key, value in _summary(corpora)
        }
        self.metrics |= {"mining/seconds": seconds, "mining/share": self.cost["share"]}
        for logger in self.trainer.loggers:  # an iterator is no place where a module can log
            logger.log_metrics(self.metrics, self.trainer.global_step)

    def _embed(self, loader: Iterable[MultimodalBatch]) -> dict[str, Pairs]:
        """All processes' pairs, by level."""
        model, device = self.module.model, self.module.device
        parts: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in self.levels}
        with evaluation_mode(model):
            for batch in loader:
                batch = batch.to(device, non_blocking=True)
                output = model(batch)
                for name, columns in parts.items():
                    level: Level = getattr(output, name)
                    about = (level.text_id, level.window, batch.label[level.row], batch.index[level.row])
                    columns.append((level.series, level.text, *about))
        return {name: Pairs.of_all_processes(columns) for name, columns in parts.items()}

    def _mine_pairs(self, pairs: Pairs, epoch: int) -> list[MinedNegatives]:
        """Both directions; every process mines for its share of the anchors."""
        size, device = len(pairs.index), pairs.index.device
        own = torch.arange(size, device=device).tensor_split(world_size())[rank()]
        sides = ((pairs.text, pairs.series), (pairs.series, pairs.text))
        parts = [
            self.miner(
                anchors[own],
                candidates,
                own,
                pairs.instances,
                seed=int(np.random.SeedSequence((self.seed, epoch, direction)).generate_state(1, np.uint64)[0]),
            )
            for direction, (anchors, candidates) in enumerate(sides)
        ]
        return [
            MinedNegatives(
                index=gather(part.index),
                score=gather(part.score),
                positive=gather(part.positive),
                hardest=gather(part.hardest),
                excluded={rule: gather(count) for rule, count in part.excluded.items()},
            )
            for part in parts
        ]

    def _hand_over(self) -> None:
        self.module.use_negatives([cache.to(self.module.device) for cache in self.caches])

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        self._hand_over()

    @property
    def cost(self) -> dict[str, float]:
        """Of all mining until now: its seconds, and their share of the training time."""
        return {"seconds": self.seconds, "share": self.seconds / self._training_seconds}

    @property
    def _training_seconds(self) -> float:
        return self._elapsed + time.perf_counter() - self._since

    def state_dict(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "table": self.table,
            "caches": [vars(cache) for cache in self.caches],
            "seconds": self.seconds,
            "elapsed": self._training_seconds,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epoch, self.table = state_dict["epoch"], state_dict["table"]
        self.caches = [NegativeCache(**cache) for cache in state_dict["caches"]]
        self.seconds, self._elapsed = state_dict["seconds"], state_dict["elapsed"]


@dataclass
class Pairs:
    """A corpus's n pairs at one level, those of all processes, in the order of the dataset."""

    series: Tensor  # (n, e) unit vectors
    text: Tensor  # (n, e) unit vectors
    instances: Instances
    index: Tensor  # (n,) int64, each pair's row of the dataset

    @classmethod
    def of_all_processes(cls, parts: Sequence[tuple[Tensor, ...]]) -> Pairs:
        """Of this process's parts, each series, text, text id, window, label and index."""
        series, text, text_id, window, label, index = (gather(torch.cat(column)) for column in zip(*parts, strict=True))
        order = index.argsort(stable=True)
        series, text, instances = series[order], text[order], Instances(text_id, window, label)[order]
        # Equal texts get one vector, to be equally hard whatever batches and processes have embedded them.
        ids, by_id = instances.text_id.sort(stable=True)
        text = text[by_id[torch.searchsorted(ids, instances.text_id)]]
        return cls(series, text, instances, index[order])

    def by_row(self, mined: Sequence[MinedNegatives], rows: int) -> Tensor:
        """The instances of the mined negatives of each instance's pairs, (rows, M): hardest first, -1 where none."""
        index = self.index.cpu()
        place = torch.arange(len(index)) - torch.searchsorted(index, index)  # of a pair among those of its instance
        negatives = torch.stack([part.index.cpu() for part in mined], dim=2)  # (n, K, 2)
        instance = torch.where(negatives >= 0, index[negatives], -1)
        instance[instance == index[:, None, None]] = -1  # another channel of it is in the batch with it
        table = torch.full((rows, negatives.shape[1], int(place.max()) + 1 if len(place) else 0, 2), -1)
        table[index, :, place] = instance
        return table.flatten(1)

    def cache(self, mined: Sequence[MinedNegatives], rows: int, first: int) -> NegativeCache:
        """What the losses need of the pairs at the sample level; `first` is the corpus's first row."""
        index = self.index.cpu()

        def spread(values: Tensor, filler: float) -> Tensor:
            return values.new_full((rows, *values.shape[1:]), filler).cpu().index_copy(0, index, values.cpu())

        to_series, to_text = (torch.where(part.index >= 0, self.index[part.index], -1) for part in mined)
        return NegativeCache(
            first, spread(self.series, 0.0), spread(self.text, 0.0), spread(to_series, -1), spread(to_text, -1)
        )


def _summary(corpora: Sequence[Sequence[MinedNegatives]]) -> Iterator[tuple[str, float]]:
    """What is worth watching about the negatives mined in all corpora, by direction."""
    for name, parts in zip(DIRECTIONS, zip(*corpora, strict=True), strict=False):
        positive, hardest = (torch.cat([getattr(part, kind) for part in parts]) for kind in ("positive", "hardest"))
        best = torch.cat([part.score[:, :1].amax(1) for part in parts])
        pairs = sum(len(part.positive) ** 2 for part in parts)
        if not len(positive):
            continue
        yield f"{name}/outranked", float((hardest > positive).float().mean())
        yield f"{name}/hardness", float((best - positive)[best.isfinite()].mean())
        yield f"{name}/without", float((~best.isfinite()).float().mean())
        for rule in parts[0].excluded:
            yield f"{name}/excluded/{rule}", sum(int(part.excluded[rule].sum()) for part in parts) / pairs
