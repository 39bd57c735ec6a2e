"""`MultimodalBatch`: the one contract between data, models and retrieval."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

NO_LABEL = -100
NO_NEIGHBOUR = -1
NO_STATEMENT = -1
KEPT = (  # of a batch on a device, what the host keeps: it decides how many rows and pairs a step has
    "observed",
    "channel_mask",
    "channel_ids",
    "text",
    "text_mask",
    "has_channel_text",
    "label",
    "index",
    "future_observed",
    "statements",
)
FAR = 2.0**14  # times its range that a window's values lie from zero, and float32 would round what they change by


@dataclass
class Retrieved:
    """The R neighbours of each of B windows, best first, TRACE §3.4; all but `number` is 0 where there is none."""

    number: Tensor  # (B, R) int64, places in the `Memory` that was searched, NO_NEIGHBOUR where there is none
    similarity: Tensor  # (B, R) float32, cosine
    series: Tensor  # (B, R, d) float32, the retriever's unit vectors of the neighbours at [CLS]
    text: Tensor  # (B, R, d) float32, those of their texts, 0 where there is none
    label: Tensor  # (B, R) int64, NO_LABEL where there is none
    last: Tensor | None = None  # (B, C, R, 1) float32, their last observed values, in the channel's units less `offset`
    future: Tensor | None = None  # (B, C, R, H) float32, and what followed them
    future_observed: Tensor | None = None  # (B, C, R, H) bool
    offset: Tensor | None = None  # (B, C, R) float64, see `MultimodalBatch.offset`

    @property
    def found(self) -> Tensor:
        """(B, R) bool."""
        return self.number != NO_NEIGHBOUR

    def map(self, function: Callable[[Tensor], Tensor]) -> Retrieved:
        """With `function` of all tensors."""
        return _mapped(self, function)


@dataclass
class Statements:
    """n texts on each of B windows, made from their values; each is of up to J statements.

    The last ones are the first ones with one statement turned round, and mostly false; see `StatementBank`.
    """

    stated: Tensor  # (B, n, J) int64, places in the corpus's `StatementBank`, NO_STATEMENT where there are fewer
    text: Tensor  # (B, n, S, D) float32, their pieces as in `MultimodalBatch.text`
    mask: Tensor  # (B, n, S) bool; all false: no text
    spoken: Tensor  # (B, n, C) bool, whether they speak of each of the window's channels

    def map(self, function: Callable[[Tensor], Tensor]) -> Statements:
        """With `function` of all tensors."""
        return _mapped(self, function)


@dataclass
class MultimodalBatch:
    """B instances, padded to C channels and T steps on the left.

    Text fields hold vectors of the frozen text encoder. Values are in the channels' own units, less `offset`: float32 would
    round away the shape of a window that is narrow and far from zero, like that of a counter.
    """

    values: Tensor  # (B, C, T) float32, in the channel's own units less `offset`, 0 where not observed
    observed: Tensor  # (B, C, T) bool, false where missing or padded
    channel_mask: Tensor  # (B, C) bool, false for padding channels
    channel_ids: Tensor  # (B, C) int64, places in the ChannelVocabulary
    text: Tensor  # (B, S, D) float32, one vector a sentence
    text_mask: Tensor  # (B, S) bool, false for padding sentences; all false: no text
    channel_text: Tensor  # (B, C, D) float32
    has_channel_text: Tensor  # (B, C) bool
    label: Tensor  # (B,) int64, NO_LABEL where there is none
    index: Tensor  # (B,) int64, position in the dataset
    text_id: Tensor  # (B,) int64, equal ids = equal text
    channel_text_id: Tensor  # (B, C) int64, likewise
    series_id: Tensor  # (B,) int64, equal ids = windows of one series
    span: Tensor  # (B, 2) int64, the window's first second and the second after its last step, since 1970
    times: Tensor | None = None  # (B, T) int64, the first second of each step since 1970; of padding, any
    future: Tensor | None = None  # (B, C, H) float32, in the channel's own units less `offset`, 0 where not observed
    future_observed: Tensor | None = None  # (B, C, H) bool
    retrieved: Retrieved | None = None
    statements: Statements | None = None
    offset: Tensor | None = None  # (B, C) float64, what was taken off values and future; None: nothing
    length: Tensor | None = None  # (B,) int64, each window's own steps, the last ones of T; None: all of them
    past_label: Tensor | None = None  # (B, P) int64, the newest labels known at the window's end, NO_LABEL where none
    copies: dict[str, tuple[Any, Any]] | None = field(default=None, repr=False, compare=False)  # see `on_host`

    def __len__(self) -> int:
        return self.values.shape[0]

    @property
    def has_text(self) -> Tensor:
        """(B,) bool."""
        return self.text_mask.any(1)

    @property
    def window(self) -> Tensor:
        """(B, 3) int64: series id, first second, second after the last."""
        return torch.cat([self.series_id.unsqueeze(1), self.span], dim=1)

    @property
    def on_host(self) -> OnHost:
        """The batch's `KEPT` tensors as the host has them: to read one there, nothing has to wait for the device."""
        return OnHost(self)

    def with_known(self, **tensors: Tensor) -> MultimodalBatch:
        """With `tensors` of the host, by the names of fields, in the place of the batch's own."""
        moved = {name: sent(tensor, self.values.device) for name, tensor in tensors.items()}
        copies = {name: (moved[name], tensor) for name, tensor in tensors.items()}
        return dataclasses.replace(self, **moved, copies={**(self.copies or {}), **copies})  # type: ignore[arg-type]

    def in_units(self, values: Tensor) -> Tensor:
        """`values` (B, C, ...) of this batch's windows in the channels' own units: float64 where there is an offset."""
        return (
            values if self.offset is None else values + self.offset.view(*self.offset.shape, *[1] * (values.dim() - 2))
        )

    def scaled(self, gain: Tensor) -> MultimodalBatch:
        """With values, what follows them, and the neighbours' at `gain` (B,) times themselves."""

        def times(values: Tensor | None) -> Tensor | None:
            return None if values is None else values * gain.view(-1, *[1] * (values.dim() - 1))

        retrieved = self.retrieved
        if retrieved is not None:
            retrieved = dataclasses.replace(
                retrieved,
                last=times(retrieved.last),
                future=times(retrieved.future),
                offset=times(retrieved.offset),
            )
        return dataclasses.replace(
            self,
            values=gain[:, None, None] * self.values,
            future=times(self.future),
            offset=times(self.offset),
            retrieved=retrieved,
        )

    def to(self, device: torch.device | str, non_blocking: bool = False) -> MultimodalBatch:
        """The batch on `device`; one that leaves the host remembers there what `on_host` gives.

        From page-locked memory to a GPU it is copied without waiting in any case: Lightning does not ask for it.
        """
        non_blocking = non_blocking or (torch.device(device).type == "cuda" and self.values.is_pinned())
        moved = self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))
        if self.values.device.type == "cpu" and moved.values.device.type != "cpu":
            moved.copies = {name: (getattr(moved, name), getattr(self, name)) for name in KEPT}
        return moved

    def pin_memory(self) -> MultimodalBatch:
        """The batch in page-locked memory; called by the DataLoader."""
        return self._map(Tensor.pin_memory)

    def _map(self, function: Callable[[Tensor], Tensor]) -> MultimodalBatch:
        return _mapped(self, function)


Kind = TypeVar("Kind", Retrieved, Statements, MultimodalBatch)


def _mapped(batch: Kind, function: Callable[[Tensor], Tensor]) -> Kind:
    """`batch` with `function` of all its tensors."""
    changed: dict[str, Any] = {}
    for own in dataclasses.fields(batch):
        value = getattr(batch, own.name)
        if own.name == "copies":
            changed[own.name] = None
        elif value is not None:
            changed[own.name] = value.map(function) if isinstance(value, Retrieved | Statements) else function(value)
    return dataclasses.replace(batch, **changed)


class OnHost:
    """What the host knows of a batch; `OnHost(batch).label` is the label on the CPU.

    A batch on the CPU is known as it is. Of one that was moved to a device, the tensors that have not been replaced since
    are known as they were before. What is not known is read from the device, which makes the host wait for it.
    """

    def __init__(self, batch: MultimodalBatch) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._batch, name)
        on_device, known = (self._batch.copies or {}).get(name, (None, None))
        if own is None or own is on_device:
            return known
        return own.map(Tensor.cpu) if isinstance(own, Statements) else own.cpu()


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """`tensor` of the host on `device`; the host goes on before it has arrived there."""
    if device.type == "cuda":  # only from page-locked memory
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type != "mps")  # where it would race with the host's next writes


def choose_offset(values: Tensor, observed: Tensor, mean: Tensor, deviation: Tensor) -> Tensor | None:
    """What to take off windows before they become float32, (B, C) float64; None where nothing has to be.

    It is the middle of a window's range where that is narrow and far from zero (`FAR`), and 0 elsewhere: what float32 holds
    well stays in the channel's units. A window of one value is measured by the channel's deviation; one without any is
    taken to be at its mean.

    Parameters
    ----------
    values, observed
        (B, C, T) float32 or float64, and bool.
    mean, deviation
        (C,) or (B, C), what is usual for the channels; NaN where unknown.
    """
    some = observed.any(-1)
    low = torch.where(some, values.masked_fill(~observed, torch.inf).amin(-1).double(), mean.double())
    high = torch.where(some, values.masked_fill(~observed, -torch.inf).amax(-1).double(), mean.double())
    span = high - low
    far = torch.maximum(low.abs(), high.abs()) > FAR * torch.where(span > 0, span, deviation.double())
    return torch.where(far, (low + high) / 2, 0.0) if bool(far.any()) else None


def less(values: Tensor, offset: Tensor | None) -> Tensor:
    """`values` (B, C, ...) less `offset` (B, C), as float32; the difference is taken in float64."""
    return values.float() if offset is None else (values.double() - offset.unsqueeze(-1)).float()
