"""What all loaded runs have in common, and the pre-trained one."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from data_modules.corpus import Corpus
from data_modules.frames import is_frame
from data_modules.input_series import InputSeries
from data_modules.series_corpus import series_corpus
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.encoder import Encoder, build_encoder
from trace_lit.errors import InputError
from trace_lit.inference.inputs import as_batch, read_windows
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, fitting, run_of
from trace_lit.retrieval.pool import check_finite, evaluation_mode
from trace_lit.runs.data import corpus_folders
from trace_lit.settings import Config
from trace_lit.text import CachedTextEncoder, TextEncoder, build_text_encoder

LONGER = "search longer windows: of a table by --steps (in Python, steps=), of a corpus by building it with longer ones"
_WINDOWS_AT_ONCE = 256


class LoadedRun(ABC):
    """A trained run, ready for use; `trace_lit.load` makes one.

    It needs nothing but its checkpoint: neither the corpus that it was trained on nor the other runs.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.checkpoint = checkpoint
        self.device = device

    @property
    def folder(self) -> Path:
        """The run folder."""
        return run_of(self.checkpoint.path)

    @property
    def stage(self) -> str:
        """Pretrain, align or tune."""
        return self.checkpoint.stage

    @property
    def config(self) -> Config:
        """The configuration that it was trained with; its paths are those that are there today."""
        return self.checkpoint.config

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that it was trained on; arrays have them in this order."""
        return self.checkpoint.channels

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels of the corpora that it was trained on."""
        own = dict.fromkeys(name for info in self.checkpoint.corpora for name in info.label_names)
        return self.checkpoint.label_names or tuple(own)

    @property
    def frequency(self) -> str | None:
        """Of the steps, like "1h"; None where it was trained on several, or the checkpoint is of version 0.1."""
        known = self.checkpoint.frequencies
        return known[0] if len(known) == 1 else None

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """The frozen text encoder that it was trained with."""
        return build_text_encoder(self.config.text)

    def keep_no_texts(self) -> None:
        """Encode each text when it is asked for, instead of keeping its vectors on disk: others' questions are theirs."""
        if isinstance(self.text_encoder, CachedTextEncoder):
            self.text_encoder = self.text_encoder.encoder

    @cached_property
    def checksum(self) -> str:
        """Of all that decides which vectors it makes: the weights, the text encoder and how texts are read."""
        text = self.config.text
        digest = hashlib.sha256(
            f"{self.text_encoder.fingerprint} {text.unit} {self.config.data.zero_is_missing}".encode()
        )
        for name, weight in sorted(self.checkpoint.weights.items()):
            digest.update(name.encode() + weight.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        names = ", ".join(channel.key for channel in self.channels)
        steps = f", steps of {self.frequency}" if self.frequency else ""
        return f"{type(self).__name__}({str(self.folder)!r}, channels: {names}{steps}, on {self.device})"

    def embed_series(self, data: Any) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N windows.

        Parameters
        ----------
        data
            A DataFrame (one window: a row a step, oldest first; columns are channels by name, like `wind speed`, or name
            and unit, like `wind speed [m/s]`; the index is the time, in UTC or with its time zone), the path of such a
            CSV file, an array (C, T) or (N, C, T) of `channels` in their order, NaN where missing, or a list of windows
            of any lengths. Values are in the channels' units. A step that the times leave out is a missing one.

        Returns
        -------
        numpy.ndarray
            (N, E) float32. E is the width of the encoder, and the vector is that of [CLS]; of an aligned run, see there.

        Raises
        ------
        CorpusError
            A column is no channel, the times are irregular, an array has another shape, or a window is shorter than a
            patch.

        Examples
        --------
        >>> model = trace_lit.load("runs/weather/pretrain/first")  # doctest: +SKIP
        >>> model.embed_series(frame).shape  # doctest: +SKIP
        (1, 128)
        """
        windows = read_windows(data, self.channels, zone=self.checkpoint.timezone)
        if self._needs_times and any(window.times is None for window in windows):
            raise ConfigError(
                "the encoder knows the calendar (encoder.calendar), so windows need times: give DataFrames whose index is "
                "the time"
            )
        vectors = torch.cat(list(self._embed(windows)))
        check_finite(vectors, "series")
        return vectors.numpy()

    def _embed(self, windows: Sequence[InputSeries]) -> Iterator[Tensor]:
        for first in range(0, len(windows), _WINDOWS_AT_ONCE):
            part = windows[first : first + _WINDOWS_AT_ONCE]
            batch = as_batch(part, self.vocabulary, self.config.encoder.patch_length).to(self.device)
            yield self._vectors(batch).float().cpu().clone()

    @property
    def vocabulary(self) -> ChannelVocabulary:
        """The channels that the model knows."""
        return self.checkpoint.vocabulary

    @property
    def _needs_times(self) -> bool:
        return self.config.encoder.calendar

    @abstractmethod
    def _vectors(self, batch: MultimodalBatch) -> Tensor:
        """Unit vectors (B, E) of a batch on the device."""

    def corpus(self, place: Any = None, steps: int | None = None) -> Corpus:
        """The corpus `place`, or the only one that the run was trained on, checked.

        A CSV file or a DataFrame counts as a corpus, too: its windows of `steps`, see `series_corpus`.

        Raises
        ------
        CorpusError
            It cannot be used.
        CheckpointError
            The run's own is not there.
        ConfigError
            The run has several.
        """
        if is_frame(place) or (isinstance(place, (str, Path)) and Path(place).is_file()):
            return series_corpus(place, steps)
        if steps is not None:
            raise ConfigError(
                f"steps is {steps}, but the windows of a corpus are given; it is for a CSV file or a DataFrame"
            )
        if isinstance(place, Corpus):
            return place
        if place is None:
            folders = self.own_folders()
            if len(folders) > 1:
                raise ConfigError(
                    f"the run has several corpora ({', '.join(map(str, folders))}); say which one is meant with --corpus "
                    "(corpus=…)"
                )
            place = folders[0]
        corpus = Corpus.load(place)
        corpus.check()
        return corpus

    def own_folders(self) -> list[Path]:
        """The folders of the corpora that the run was trained on.

        Raises
        ------
        CheckpointError
            One is not there.
        """
        if self.checkpoint.packaged:
            raise ConfigError(
                "the universal model has no corpus of its own; name one with --corpus (in Python, corpus=…)"
            )
        if self.checkpoint.built and all(folder.exists() for folder in self.checkpoint.built):
            return list(self.checkpoint.built)
        try:
            folders = corpus_folders(self.config)
        except InputError as error:
            raise CheckpointError(
                f"the corpus that {self.folder} was trained on cannot be built here ({error}); name one with --corpus "
                "(corpus=…)"
            ) from error
        for folder in folders:
            if not folder.exists():
                raise CheckpointError(
                    f"the corpus {folder}, which {self.folder} was trained on, is not there; name one with --corpus "
                    "(corpus=…)"
                )
        return folders


def encoder_of(checkpoint: Checkpoint) -> Encoder:
    """The series encoder that a checkpoint of any stage holds, in evaluation mode."""
    with fitting(checkpoint.path, checkpoint.weights):
        encoder = build_encoder(checkpoint.config.encoder, checkpoint.vocabulary)
        encoder.load_state_dict(checkpoint.encoder_weights())
    return encoder.eval()


def whole_vectors(encoder: Encoder, batch: MultimodalBatch) -> Tensor:
    """Unit vectors (B, d) at [CLS]."""
    with evaluation_mode(encoder):
        return F.normalize(encoder(batch, with_patches=False).cls.float(), dim=1)


class PretrainedRun(LoadedRun):
    """A run of stage pretrain: an encoder of series, which cannot be compared with texts yet."""

    @cached_property
    def encoder(self) -> Encoder:
        """The series encoder."""
        return encoder_of(self.checkpoint).to(self.device)

    def _vectors(self, batch: MultimodalBatch) -> Tensor:
        return whole_vectors(self.encoder, batch)
