"""What gives windows the vectors by which similar ones are found: a frozen aligned model, TRACE §3.4, or another."""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import Corpus
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from data_modules.text_table import text_table
from data_modules.vocabulary import foreign_vocabulary
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.retrieval.pool import evaluation_mode
from trace_lit.text import TextEncoder

_BATCH = 256


class WindowRetriever(ABC):
    """Gives windows the vectors by which their neighbours are found.

    Attributes
    ----------
    device
        Where it is used.
    fingerprint
        Of all that its vectors depend on besides the windows.
    zero_is_missing
        Zeros in a window count as missing.
    """

    device: torch.device
    fingerprint: str
    zero_is_missing: bool

    @property
    @abstractmethod
    def width(self) -> int:
        """d, of the vectors that a prompt is made of."""

    @property
    @abstractmethod
    def vocabulary(self) -> ChannelVocabulary:
        """The channels that it knows."""

    def usual_distance(self, lookback: int, horizon: int) -> int:
        """Steps between two neighbours of one series, where `rag.min_distance` does not say: none overlap."""
        return lookback

    @abstractmethod
    def learn_channels(self, corpora: Sequence[Corpus]) -> None:
        """Make room for channels that it has never seen."""

    @abstractmethod
    def embed(self, windows: OriginDataset, corpora: Sequence[Corpus], key: str) -> tuple[Tensor, Tensor]:
        """Vectors (N, …) to compare by the channels of all `corpora`, and those that a prompt is made of (N, d)."""

    def comparable(self, vectors: Tensor, candidates: Tensor) -> Tensor:
        """`vectors` (N, …) as they are compared, (N, E), where the `candidates` have the vectors (M, …)."""
        return vectors

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, d) of texts that a prompt is made of; 0 for an empty text."""

    def windows(
        self, corpus: Corpus, series: Series, lookback: int, horizon: int, window: WindowConfig, zero_is_missing: bool
    ) -> OriginDataset:
        """The windows of a corpus with `lookback` steps before and `horizon` steps after the origin, for any origin."""
        forecast = dataclasses.replace(window, lookback=lookback, horizon=horizon, targets=None, stride=1)
        return OriginDataset(corpus, series, "train", forecast, self.vocabulary, zero_is_missing=zero_is_missing)


@dataclass
class FrozenRetriever(WindowRetriever):
    """An aligned model with its text encoder and settings.

    Parameters
    ----------
    text
        The text encoder that it was trained with.
    device
        Where it is used.
    text_unit
        A vector a "sentence" of a text, or one for the whole "document".
    zero_is_missing
        In its training, zeros counted as missing.
    """

    model: AlignedModel
    text: TextEncoder
    device: torch.device
    text_unit: str = "sentence"
    zero_is_missing: bool = False

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"{self.text.fingerprint} {self.text_unit}".encode())
        for name, weight in sorted(self.model.state_dict().items()):
            digest.update(name.encode() + weight.cpu().contiguous().numpy().tobytes())
        self.fingerprint = digest.hexdigest()
        self.model.to(self.device).requires_grad_(False).eval()

    @property
    def width(self) -> int:
        """d, of the vectors at [CLS]."""
        return self.model.encoder.config.width

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.model.encoder.vocabulary

    def learn_channels(self, corpora: Sequence[Corpus]) -> None:
        self.model.encoder.extend(foreign_vocabulary(corpora, self.text, self.model.encoder.vocabulary))

    def windows(
        self, corpus: Corpus, series: Series, lookback: int, horizon: int, window: WindowConfig, zero_is_missing: bool
    ) -> OriginDataset:
        """As `WindowRetriever.windows`.

        Raises
        ------
        ConfigError
            The look-back is shorter than a patch.
        """
        patch = self.model.encoder.config.patch_length
        if lookback < patch:
            raise ConfigError(f"rag.lookback is {lookback}, shorter than a patch of the retriever ({patch} steps)")
        return super().windows(corpus, series, lookback, horizon, window, zero_is_missing)

    def embed(self, windows: OriginDataset, corpora: Sequence[Corpus], key: str) -> tuple[Tensor, Tensor]:
        """Unit vectors (N, E) to compare by the channels of all `corpora`, or by [CLS] alone, and at [CLS] (N, d)."""
        channels = [channel for corpus in corpora for channel in corpus.info.channels]
        space = SearchSpace(self.model, list({channel.key: channel for channel in channels}.values()))
        parts = []
        with evaluation_mode(space):
            for first in range(0, len(windows), _BATCH):
                batch = windows[list(range(first, min(first + _BATCH, len(windows))))]
                parts.append(space.embed_series(batch.to(self.device)).float().cpu())
        vectors = torch.cat(parts).clone()
        at_cls = F.normalize(vectors[:, : self.width], dim=1)
        return (at_cls if key == "cls" else vectors), at_cls

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, d) of texts, to compare with [CLS]; 0 for an empty text."""
        table = text_table(texts, self.text, self.text_unit, kind="query")
        numbers = table.numbers(texts)
        identities = self.model.encoder.channel_tokens.identities()[:0]
        distinct = torch.arange(len(table) + 1)
        vectors = torch.zeros(len(distinct), self.width)
        with evaluation_mode(self.model):
            for some in distinct[1:].split(_BATCH):
                vector, mask = table.look_up(some)
                parts = self.model.text(vector.to(self.device), mask.to(self.device), identities)  # (n, 1, d)
                vectors[some] = F.normalize(parts[:, 0].float(), dim=1).cpu()
        return vectors[numbers]
