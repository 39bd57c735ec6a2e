"""The space of an index: what its vectors mean, and what turns windows and questions into them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.corpus import Corpus
from data_modules.dataset import CorpusDataset
from data_modules.text_table import TextTable
from data_modules.vocabulary import streamed_usual_values
from data_modules.windows import check_lengths
from trace_lit.alignment import SearchSpace
from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.loaded import LONGER
from trace_lit.modules.places import relative
from trace_lit.retrieval.errors import RetrievalError
from trace_lit.retrieval.pool import embed_series
from trace_lit.retrieval.stores import COLUMNS, key_of
from trace_lit.text import document

BLOCK_ROWS = 1024  # that are embedded and written together
UNIVERSAL = "universal"
_WIDEST = 2**16  # part of a vector
_CONTENT = ("series_id", "start", "frequency", "text", "label", "split")  # of a window, beside its values


@dataclass(frozen=True)
class Space:
    """What vectors mean: the model that makes them, and the channels that their parts stand for."""

    model: str  # its checksum
    run: str  # its folder as it is seen from where the space is kept, or "universal"
    channels: tuple[Channel, ...]
    keys: tuple[str | None, ...]  # of the P parts of a vector: None for the whole, otherwise a channel's
    width: int  # of a part
    usual: Mapping[str, tuple[float, float]] | None  # mean and deviation by key, where the model takes the corpora's

    @classmethod
    def of(cls, model: AlignedRun, corpora: Sequence[CorpusBlocks], folder: Path) -> Space:
        """That of all channels of the corpora, to be kept in `folder`."""
        channels = tuple({channel.key: channel for own in corpora for channel in own.info.channels}.values())
        usual = None
        if model.config.data.usual == "corpus":
            usual = streamed_usual_values(corpora, model.config.data.from_calm, model.usual_split(corpora))
        run = UNIVERSAL if model.checkpoint.packaged else relative(model.folder, folder)
        keys = model.space(channels, usual).part_keys
        return cls(model.checksum, run, channels, keys, model.config.encoder.width, usual)

    @property
    def exact_width(self) -> int:
        """E."""
        return len(self.keys) * self.width

    def as_dict(self) -> dict[str, Any]:
        """Plain types."""
        channels = [{"name": own.name, "unit": own.unit, "description": own.description} for own in self.channels]
        usual = None if self.usual is None else {key: list(own) for key, own in self.usual.items()}
        return {**vars(self), "channels": channels, "keys": list(self.keys), "usual": usual}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Space:
        """The inverse of `as_dict`; KeyError, TypeError, ValueError or AttributeError where `plain` is none."""
        usual = plain["usual"]
        space = cls(
            model=str(plain["model"]),
            run=str(plain["run"]),
            channels=tuple(Channel(**{key: str(value) for key, value in own.items()}) for own in plain["channels"]),
            keys=tuple(None if key is None else str(key) for key in plain["keys"]),
            width=int(plain["width"]),
            usual=None
            if usual is None
            else {str(key): (float(mean), float(own)) for key, (mean, own) in usual.items()},
        )
        space._check()
        return space

    def _check(self) -> None:
        """Raise ValueError where a file that somebody has changed says what no model makes."""
        of_channels = {channel.key for channel in self.channels}
        if "\0" in self.run:
            raise ValueError(f"{self.run!r} is no path")
        if not of_channels or not 0 < self.width <= _WIDEST:
            raise ValueError(f"it has {len(of_channels)} channels and parts of width {self.width}")
        if len(set(self.keys)) != len(self.keys) or set(self.keys) not in ({None}, {None, *of_channels}):
            raise ValueError("the parts of its vectors are not those of its channels")
        for key, (mean, deviation) in (self.usual or {}).items():
            if key not in of_channels or not math.isfinite(mean) or not 0 <= deviation < math.inf:
                raise ValueError(f"the usual values of {key!r} are {mean} and {deviation}")


class SpaceEmbedder:
    """A model that makes vectors of a space, one of which it may have seen none of the channels.

    Raises
    ------
    RetrievalError
        The space is of vectors of another width, so that its file has been changed or is damaged.
    """

    def __init__(self, model: AlignedRun, space: Space) -> None:
        if space.width != model.config.encoder.width:
            raise RetrievalError(
                f"the vectors have parts of {space.width} numbers, those of {model.folder} have "
                f"{model.config.encoder.width}: the file that says so is damaged; build the index again"
            )
        self.model, self.space = model, space

    def search_space(self) -> SearchSpace:
        """The model with the space's channels; asked for each time, since searching elsewhere gives it others."""
        return self.model.space(self.space.channels, self.space.usual)

    def windows(self, corpus: Corpus) -> NDArray[np.float32]:
        """Unit vectors (N, E) of all rows of `corpus`."""
        config, search_space = self.model.config, self.search_space()
        check_lengths(corpus, config.encoder.patch_length, LONGER)
        nothing, zero_is_missing = TextTable((), None, document), config.data.zero_is_missing
        dataset = CorpusDataset(corpus, None, self.model.vocabulary, nothing, nothing, zero_is_missing=zero_is_missing)
        numbers = torch.arange(len(dataset)).split(config.evaluation.batch_size)
        batches = (dataset[own.tolist()] for own in numbers)
        return self._ordered(embed_series(search_space, batches, self.model.device).numpy(), search_space)

    def series(self, window: Any) -> NDArray[np.float32]:
        """The unit vector (1, E) of a window, see `AlignedRun.embed_series`."""
        search_space = self.search_space()
        batch = self.model.batch_of(window, self.space.channels)
        return self._ordered(embed_series(search_space, [batch], self.model.device).numpy(), search_space)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of texts."""
        search_space = self.search_space()
        return self._ordered(self.model.text_vectors(texts, search_space), search_space)

    def as_model(self, vectors: NDArray[np.float32], search_space: SearchSpace) -> NDArray[np.float32]:
        """Vectors (N, E) of the space with their parts in the order of the model's."""
        return _in_order(vectors, self.space.keys, search_space.part_keys)

    def _ordered(self, vectors: NDArray[np.float32], search_space: SearchSpace) -> NDArray[np.float32]:
        return _in_order(vectors, search_space.part_keys, self.space.keys)


def open_corpora(corpora: Any) -> dict[str, CorpusBlocks]:
    """Corpora, given as folders or as `Corpus`, by the names of their folders.

    Raises
    ------
    ConfigError
        None is given, or two have one name.
    CorpusError
        One cannot be used.
    """
    given = [corpora] if isinstance(corpora, (str, Path, Corpus)) else list(corpora)
    if not given:
        raise ConfigError("no corpus is given; name one at least")
    found: dict[str, CorpusBlocks] = {}
    for place in given:
        blocks = CorpusBlocks(place, BLOCK_ROWS)
        name = blocks.path.resolve().name
        if name in found:
            raise ConfigError(
                f"{found[name].path} and {blocks.path} are both named {name!r}; an index knows a corpus by the name of its "
                "folder: rename one"
            )
        found[name] = blocks
    return found


def columns_of(corpus: Corpus, name: str, first: int) -> pa.Table:
    """The rows of `corpus`, which are those from row `first` on of the corpus `name`, with `COLUMNS`."""
    table = corpus.table()
    ids = table["id"].to_pylist()
    content = zip(*(table[own].to_pylist() for own in _CONTENT), strict=True)
    columns = {
        "key": [key_of(name, own) for own in ids],
        "corpus": [name] * len(ids),
        "id": ids,
        "row": range(first, first + len(ids)),
        "series": table["series_id"].to_pylist(),
        "split": table["split"].to_pylist(),
        "label": table["label"].to_pylist(),
        "start": corpus.starts,
        "end": corpus.ends,
        "text": corpus.texts,
        "digest": [_digest(values, own) for values, own in zip(corpus.values(), content, strict=True)],
    }
    return pa.table(columns, COLUMNS)


def _digest(values: NDArray[np.floating[Any]], content: tuple[Any, ...]) -> str:
    digest = hashlib.blake2b(repr(content).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return digest.hexdigest()


def _in_order(
    vectors: NDArray[np.float32], own: tuple[str | None, ...], wanted: tuple[str | None, ...]
) -> NDArray[np.float32]:
    if own == wanted:
        return vectors
    parts = vectors.reshape(len(vectors), len(own), -1)[:, [own.index(key) for key in wanted]]
    return np.ascontiguousarray(parts.reshape(len(vectors), -1))
