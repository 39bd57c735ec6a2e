"""Which instances come together in a batch, in which order, on which process.

Batches are composed for all processes at once, and each process takes its shard of every one. So all processes make the
same number of steps, and what they see together does not depend on how many they are, given the global batch size.
Lightning must leave these samplers alone: `Trainer(use_distributed_sampler=False)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from data_modules.corpus import CorpusError

Indices = NDArray[np.int64]


class Draw(list[int]):
    """The indices of one training batch, with the epoch that the dataset's random choices depend on.

    The epoch travels with the indices, so a worker process that outlives an epoch cannot hold an old one.
    """

    def __init__(self, indices: Iterable[int], epoch: int) -> None:
        super().__init__(indices)
        self.epoch = epoch


def _shard(batch: Indices, rank: int, world_size: int) -> list[int]:
    """This process's part of a global batch; the parts differ by one row at most."""
    return np.array_split(batch, world_size)[rank].tolist()


def _batch_count(rows: int, batch_size: int, world_size: int, what: str) -> int:
    """How many batches of equal size (±1) hold `rows`, so that every process has a row of each."""
    if rows < world_size:
        raise CorpusError(f"{what} has {rows} rows, too few for {world_size} processes; every process needs one")
    return min(math.ceil(rows / (batch_size * world_size)), rows // world_size)


class DomainBatchSampler(Sampler[list[int]]):
    """Training batches, each from one corpus.

    Rows `0 … sizes[0]-1` of the dataset are the first corpus's, the next `sizes[1]` the second's, and so on. An epoch
    has as many batches as one pass over all rows. A single corpus gives each of its rows once an epoch. Of several, each
    gives a share of the batches proportional to its size to the power of `mixing_exponent`. Its rows are drawn in passes,
    each in a new order, and an epoch continues where the last one stopped, so that rows are drawn equally often.
    A pass is cut into batches of equal size (±1), at most `batch_size` a process: no small batch is left over, no row is
    dropped, and no batch holds a row twice.

    All depends on (seed, epoch) alone. `set_epoch` chooses the epoch of the iterators made afterwards; an iterator
    keeps the epoch that it was made with.

    Parameters
    ----------
    sizes
        Of the corpora.
    negatives
        Gives, for an epoch, the hard negatives of every row of the dataset as rows (N, M), with -1 where there are fewer,
        or None for random batches. It is asked when an iterator is made, so a table can be made
        for the very weights that it will train.
    in_batch
        How many of its hard negatives join an anchor in its batch, as far as they are not in another one already.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        batch_size: int,
        *,
        mixing_exponent: float = 0.5,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        negatives: Callable[[int], Indices | None] | None = None,
        in_batch: int = 3,
    ) -> None:
        self.sizes = list(sizes)
        self.negatives = negatives
        self.in_batch = in_batch
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self.first_batch = 0
        self.batches_a_pass = [
            _batch_count(size, batch_size, world_size, f"the training split of corpus {number} of {len(sizes)}")
            for number, size in enumerate(sizes, start=1)
        ]
        self.batches_an_epoch = _apportion(sum(self.batches_a_pass), [size**mixing_exponent for size in sizes])

    @property
    def sampler(self) -> DomainBatchSampler:
        """Itself: Lightning sets the epoch of a batch sampler's `sampler` only."""
        return self

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Let iterators give epoch `epoch`, from its batch number `first_batch` on, until it is called again."""
        self.epoch = epoch
        self.first_batch = first_batch

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "first_batch": self.first_batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.set_epoch(state["epoch"], state["first_batch"])

    def global_batches(self, epoch: int) -> list[Indices]:
        """The batches of an epoch, all processes' rows together."""
        table = None if self.negatives is None else self.negatives(epoch)
        streams = [iter(self._batches(corpus, epoch, table)) for corpus in range(len(self.sizes))]
        turns = np.repeat(np.arange(len(self.sizes)), self.batches_an_epoch)
        # The passes of a corpus draw from [seed, 0, corpus, pass], the order of the corpora from [seed, 1, epoch].
        order = np.random.default_rng([self.seed, 1, epoch]).permutation(turns)
        return [next(streams[corpus]) for corpus in order]

    def _batches(self, corpus: int, epoch: int, table: Indices | None) -> list[Indices]:
        """The batches of a corpus in an epoch: pass after pass, each in its own order.

        Which rows an epoch takes from a pass is settled by chance; `table` only deals them to its batches anew.
        """
        first_row = sum(self.sizes[:corpus])
        place, skipped = divmod(epoch * self.batches_an_epoch[corpus], self.batches_a_pass[corpus])
        batches: list[Indices] = []
        while (missing := self.batches_an_epoch[corpus] - len(batches)) > 0:
            chance = np.random.default_rng([self.seed, 0, corpus, place])
            rows = chance.permutation(self.sizes[corpus]) + first_row
            taken = np.array_split(rows, self.batches_a_pass[corpus])[skipped:][:missing]
            batches += taken if table is None else _with_in_batch(taken, table, self.in_batch)
            place, skipped = place + 1, 0
        return batches

    def __len__(self) -> int:
        return sum(self.batches_an_epoch)

    def __iter__(self) -> Iterator[list[int]]:
        # What is set stays so: with workers, a DataLoader makes two iterators at first and draws from the second.
        epoch = self.epoch
        batches = self.global_batches(epoch)[self.first_batch :]
        # No generator function: it would read the epoch at the first batch, not when the iterator is made.
        return (Draw(_shard(batch, self.rank, self.world_size), epoch) for batch in batches)


def _with_in_batch(batches: list[Indices], negatives: Indices, in_batch: int) -> list[Indices]:
    """The rows of `batches` dealt anew to batches of the same sizes, so that anchors meet their hard negatives.

    The first rows of each batch stay as its anchors. In rounds, every anchor asks for its next negative and gets it if no
    batch has it yet, until it has `in_batch`; the first to ask gets it. The remaining rows fill the batches.
    """
    sizes = np.array([len(batch) for batch in batches])
    heads = [batch[: max(1, len(batch) // (1 + in_batch))] for batch in batches]
    anchors = np.concatenate(heads)
    home = np.repeat(np.arange(len(batches)), [len(head) for head in heads])
    free = np.zeros(len(negatives) + 1, dtype=bool)  # its last place stands for "no negative"
    free[np.concatenate(batches)] = True
    free[anchors] = False
    count = np.zeros(len(anchors), dtype=np.int64)
    most = np.minimum(in_batch, sizes[home] - 1)  # a batch may be smaller than an anchor with all its in_batch
    members, places = [anchors], [home]
    for wanted in negatives[anchors].T:
        asking = np.flatnonzero(free[wanted] & (count < most))
        taken, first = np.unique(wanted[asking], return_index=True)
        count[asking[first]] += 1
        free[taken] = False
        members.append(taken)
        places.append(home[asking[first]])
    chosen, place = np.concatenate(members), np.concatenate(places)
    rest = np.concatenate(batches)
    rest = rest[free[rest]]
    gaps = np.repeat(np.arange(len(batches)), sizes - np.bincount(place, minlength=len(batches)))
    chosen, place = np.concatenate([chosen, rest]), np.concatenate([place, gaps])
    return np.split(chosen[np.argsort(place, kind="stable")], np.cumsum(sizes)[:-1])


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """`total` in whole parts as the weights say, by largest remainders, each part at least 1."""
    spare = total - len(weights)
    exact = [spare * weight / sum(weights) for weight in weights]
    parts = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda n: parts[n] - exact[n])
    for number in by_remainder[: spare - sum(parts)]:
        parts[number] += 1
    return [1 + part for part in parts]


class EvaluationBatchSampler(Sampler[list[int]]):
    """Every row once, in order, over all processes together.

    All processes have the same number of batches, none of them empty, so loops that hold collectives stay in step.
    Batches differ by one row at most, and so do the processes' parts of one; no row is repeated to fill a gap.
    """

    def __init__(self, size: int, batch_size: int, *, rank: int = 0, world_size: int = 1) -> None:
        self.size = size
        self.rank = rank
        self.world_size = world_size
        self.batches = _batch_count(size, batch_size, world_size, "the split to evaluate")

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        for batch in np.array_split(np.arange(self.size), self.batches):
            yield _shard(batch, self.rank, self.world_size)
