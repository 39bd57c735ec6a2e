"""Instances as batches: one split of a corpus in memory, collated by tensor indexing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from data_modules.corpus import Corpus
from data_modules.rows import scrambled
from data_modules.samplers import Draw
from data_modules.text_table import NO_TEXT, TextTable
from data_modules.windows import Windows
from trace_lit.batch import NO_LABEL, Kind, MultimodalBatch, Retrieved, Statements, choose_offset, less
from trace_lit.channels import ChannelVocabulary

if TYPE_CHECKING:  # what makes statements is read when they are wanted
    from data_modules.statement_bank import StatementBank


class CorpusDataset(Dataset[MultimodalBatch]):
    """The rows of one split of a corpus, or all of them where `split` is None.

    `dataset[[3, 1, 4]]` is a `MultimodalBatch` of these rows; `index` counts the rows of the split, and `rows` says
    which rows of the corpus they are. Windows shorter than the longest of a batch are padded on the left.

    Parameters
    ----------
    vocabulary
        Holds the corpus's channels.
    texts, channel_texts
        Hold the corpus's texts; what they do not hold counts as no text.
    label_names
        What the label numbers of the batches stand for; the corpus's own names by default.
    random_offset
        Training batches (`Draw`) take each window up to a window's length later, as far as the rows of this split reach
        without a gap. A window that has moved is without label and texts, which do not describe it.
    jitter
        Steps by which training batches may take a window earlier or later, as far as the rows of this split reach. The
        window keeps its label and texts, which hold for the neighbouring steps, too.
    zero_is_missing
        A zero counts as not observed.
    seed
        Of the offsets, together with the draw's epoch and the index.
    statements
        Training batches have statements drawn from it.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str | None,
        vocabulary: ChannelVocabulary,
        texts: TextTable,
        channel_texts: TextTable,
        *,
        label_names: Sequence[str] | None = None,
        random_offset: bool = False,
        jitter: int = 0,
        zero_is_missing: bool = False,
        seed: int = 0,
        statements: StatementBank | None = None,
    ) -> None:
        self.corpus = corpus
        self.statements = statements
        self.split = split
        self.rows = np.arange(len(corpus), dtype=np.int64) if split is None else corpus.rows_of(split)
        self.random_offset = random_offset
        self.jitter = jitter
        self.seed = seed
        self.windows = Windows.stitched(corpus, self.rows.tolist())
        self.zero_is_missing = zero_is_missing
        self.channel_ids = torch.tensor(vocabulary.ids(corpus.info.channels))
        self._usual = vocabulary.usual(corpus.info.channels)
        self._texts = texts
        self._channel_texts = channel_texts
        self._text = torch.zeros(len(self.rows), dtype=torch.int64)
        if len(texts):
            self._text = texts.numbers(corpus.texts[row] for row in self.rows)
        self._channel_text = torch.zeros(len(self.rows), len(self.channel_ids), dtype=torch.int64)
        if len(channel_texts):
            every = (text for row in self.rows for text in corpus.channel_texts[row])
            self._channel_text = channel_texts.numbers(every).view_as(self._channel_text)
        self._label = torch.from_numpy(_renamed(corpus, label_names)[self.rows])
        names, numbers = corpus.series_numbers
        self._series, self._series_count = torch.from_numpy(numbers[self.rows]), len(names)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def series_count(self) -> int:
        """Series ids are below it."""
        return self._series_count

    @property
    def texts(self) -> list[str]:
        """The texts of the rows, in their order."""
        return [self.corpus.texts[row] for row in self.rows]

    @property
    def values(self) -> list[NDArray[np.floating]]:
        """The windows (C, T) of the rows, NaN where missing."""
        values = self.corpus.values()
        return [values[row] for row in self.rows]

    def __getitem__(self, index: int | Sequence[int]) -> MultimodalBatch:
        return self.__getitems__([index] if isinstance(index, int) else index)

    def __getitems__(self, indices: Sequence[int]) -> MultimodalBatch:
        index = torch.tensor(indices, dtype=torch.int64)
        windows = self.windows
        first, length = windows.first[index], windows.length[index]
        text, channel_text, label = self._text[index], self._channel_text[index], self._label[index]
        if self.random_offset and isinstance(indices, Draw):
            choices = torch.minimum(length, windows.reach[index] + 1)
            later = _choose(choices, index, self.seed, indices.epoch)
            first = first + later
            stayed = later == 0
            text, label = torch.where(stayed, text, 0), torch.where(stayed, label, NO_LABEL)
            channel_text = torch.where(stayed.unsqueeze(1), channel_text, 0)

        elif self.jitter and isinstance(indices, Draw):
            earlier, later = windows.before[index].clamp(max=self.jitter), windows.reach[index].clamp(max=self.jitter)
            first = first - earlier + _choose(earlier + later + 1, index, self.seed, indices.epoch)

        steps = int(length.max()) if len(index) else 0
        place = (first + length - steps).unsqueeze(1) + torch.arange(steps)  # (B, T)
        values = windows.values[place.clamp(min=0)].transpose(1, 2)  # (B, C, T)
        if self.zero_is_missing:
            values = torch.where(values == 0, torch.nan, values)
        observed = ~values.isnan() & (place >= first.unsqueeze(1)).unsqueeze(1)
        offset = choose_offset(values, observed, *self._usual)
        vectors, mask = self._texts.look_up(text)
        statements = None
        if self.statements is not None and isinstance(indices, Draw):
            statements = self.statements.draw(index.numpy(), indices.epoch)
        channel_vectors, _ = self._channel_texts.look_up(channel_text.flatten())
        return MultimodalBatch(
            values=torch.where(observed, less(values, offset), 0.0).contiguous(),
            observed=observed.contiguous(),
            channel_mask=torch.ones(len(index), len(self.channel_ids), dtype=torch.bool),
            channel_ids=self.channel_ids.repeat(len(index), 1),
            text=vectors,
            text_mask=mask,
            channel_text=channel_vectors[:, 0].unflatten(0, channel_text.shape),
            has_channel_text=channel_text > 0,
            label=label,
            index=index,
            text_id=TextTable.ids(text),
            channel_text_id=TextTable.ids(channel_text),
            series_id=self._series[index],
            span=torch.stack([windows.begin[first], windows.end[first + length - 1]], dim=1),
            times=windows.begin[torch.maximum(place, first.unsqueeze(1))],
            statements=statements,
            offset=offset,
            length=length,
        )


def _renamed(corpus: Corpus, label_names: Sequence[str] | None) -> NDArray[np.int64]:
    """The labels of all rows, as places in `label_names`."""
    if label_names is None or not corpus.info.label_names:
        return corpus.labels
    places = np.array([label_names.index(name) for name in corpus.info.label_names])
    return np.where(corpus.labels == NO_LABEL, NO_LABEL, places[corpus.labels.clip(min=0)])


def _choose(choices: Tensor, index: Tensor, seed: int, epoch: int) -> Tensor:
    """For each index one of 0 … choices-1; the same whatever batch and process it is in."""
    state = scrambled(index.numpy(), seed, epoch)
    return torch.from_numpy((state % choices.numpy().astype(np.uint64)).astype(np.int64))


class JointDataset(Dataset[MultimodalBatch]):
    """Several datasets, one after another; `index` and `series_id` are counted through."""

    def __init__(self, datasets: Sequence[CorpusDataset]) -> None:
        self.datasets = list(datasets)
        self._first = np.cumsum([0, *(len(dataset) for dataset in datasets)])
        self._first_series = np.cumsum([0, *(dataset.series_count for dataset in datasets)])

    def __len__(self) -> int:
        return int(self._first[-1])

    def __getitem__(self, index: int | Sequence[int]) -> MultimodalBatch:
        return self.__getitems__([index] if isinstance(index, int) else index)

    def __getitems__(self, indices: Sequence[int]) -> MultimodalBatch:
        member = np.searchsorted(self._first, indices, side="right") - 1
        parts, order = [], []
        for number in np.unique(member):
            places = np.flatnonzero(member == number)
            own = (np.asarray(indices)[places] - self._first[number]).tolist()
            if isinstance(indices, Draw):
                own = Draw(own, indices.epoch)
            part = self.datasets[number][own]
            part.index += int(self._first[number])
            part.series_id += int(self._first_series[number])
            parts.append(part)
            order.append(places)
        if len(parts) == 1:
            return parts[0]
        as_asked = torch.from_numpy(np.argsort(np.concatenate(order)))
        return concatenate(parts)._map(lambda tensor: tensor[as_asked])


def concatenate(batches: Sequence[MultimodalBatch]) -> MultimodalBatch:
    """One batch of all instances: fewer steps are padded on the left, fewer channels or sentences on the right."""
    steps = max(batch.values.shape[2] for batch in batches)
    channels = max(batch.values.shape[1] for batch in batches)
    pieces = max(batch.text.shape[1] for batch in batches)
    statement_pieces = max(
        (batch.statements.mask.shape[2] for batch in batches if batch.statements is not None), default=0
    )

    def padded(batch: MultimodalBatch) -> MultimodalBatch:
        time = steps - batch.values.shape[2]
        more = channels - batch.values.shape[1]
        left = (time, 0, 0, more)  # F.pad counts from the last axis
        length = torch.full((len(batch),), batch.values.shape[2]) if batch.length is None else batch.length
        return dataclasses.replace(
            batch,
            values=F.pad(batch.values, left),
            observed=F.pad(batch.observed, left),
            channel_mask=F.pad(batch.channel_mask, (0, more)),
            times=None if batch.times is None else F.pad(batch.times, (time, 0)),
            future=None if batch.future is None else F.pad(batch.future, (0, 0, 0, more)),
            future_observed=None if batch.future_observed is None else F.pad(batch.future_observed, (0, 0, 0, more)),
            channel_ids=F.pad(batch.channel_ids, (0, more)),
            text=F.pad(batch.text, (0, 0, 0, pieces - batch.text.shape[1])),
            text_mask=F.pad(batch.text_mask, (0, pieces - batch.text.shape[1])),
            channel_text=F.pad(batch.channel_text, (0, 0, 0, more)),
            has_channel_text=F.pad(batch.has_channel_text, (0, more)),
            channel_text_id=F.pad(batch.channel_text_id, (0, more), value=NO_TEXT),
            retrieved=None if batch.retrieved is None else _with_room(batch.retrieved, more),
            offset=None if batch.offset is None else F.pad(batch.offset, (0, more)),
            statements=None if batch.statements is None else _widened(batch.statements, statement_pieces, more),
            length=length,
        )

    return _joined([padded(batch) for batch in batches])


def _with_room(retrieved: Retrieved, channels: int) -> Retrieved:
    """With so many channels more: only what was measured has an axis of channels."""
    moved = retrieved.map(lambda own: F.pad(own, (0, 0, 0, 0, 0, channels)) if own.dim() == 4 else own)
    return (
        moved if moved.offset is None else dataclasses.replace(moved, offset=F.pad(moved.offset, (0, 0, 0, channels)))
    )


def _widened(statements: Statements, pieces: int, channels: int) -> Statements:
    """With room for so many pieces, and for so many channels more."""
    more = pieces - statements.mask.shape[2]
    text, mask = F.pad(statements.text, (0, 0, 0, more)), F.pad(statements.mask, (0, more))
    return Statements(statements.stated, text, mask, F.pad(statements.spoken, (0, channels)))


def _joined(parts: Sequence[Kind]) -> Kind:
    """Instances of one kind, one after another."""
    together: dict[str, Any] = {}
    for field in dataclasses.fields(parts[0]):
        own = [getattr(part, field.name) for part in parts]
        if field.name == "offset" and any(one is not None for one in own):
            together[field.name] = torch.cat([_offset(part) for part in parts])
        elif own[0] is not None:
            together[field.name] = _joined(own) if isinstance(own[0], Retrieved | Statements) else torch.cat(own)
    return type(parts[0])(**together)


def _offset(part: Any) -> Tensor:
    """The offset of a batch or of neighbours, zeros where there is none."""
    if part.offset is not None:
        return part.offset
    like = part.values[..., 0] if isinstance(part, MultimodalBatch) else part.last[..., 0]
    return torch.zeros_like(like, dtype=torch.float64)


def window_batch(values: NDArray[np.float32], channel_ids: Sequence[int], text_width: int = 0) -> MultimodalBatch:
    """One window (C, T), NaN where missing, as a batch without text, label and time: a query."""
    window = torch.from_numpy(np.array(values, dtype=np.float32)).unsqueeze(0)
    observed = ~window.isnan()
    channels = window.shape[1]
    none = torch.full((1,), NO_TEXT)
    return MultimodalBatch(
        values=torch.where(observed, window, 0.0),
        observed=observed,
        channel_mask=torch.ones(1, channels, dtype=torch.bool),
        channel_ids=torch.tensor([list(channel_ids)], dtype=torch.int64),
        text=torch.zeros(1, 1, text_width),
        text_mask=torch.zeros(1, 1, dtype=torch.bool),
        channel_text=torch.zeros(1, channels, text_width),
        has_channel_text=torch.zeros(1, channels, dtype=torch.bool),
        label=torch.full((1,), NO_LABEL),
        index=torch.zeros(1, dtype=torch.int64),
        text_id=none,
        channel_text_id=none.expand(1, channels),
        series_id=torch.full((1,), -1),
        span=torch.zeros(1, 2, dtype=torch.int64),
    )
