"""Any encoder of the Hugging Face hub, or a folder in its form, as a frozen text encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from trace_lit.devices import named_device
from trace_lit.hub import find_model, first_line, quiet_transformers
from trace_lit.plain import at_home
from trace_lit.text.encoder import ContextualEncoder, TextEncoderError, fingerprint
from trace_lit.text.tokens import Spans

POOLINGS = ("mean", "cls")
PRECISIONS = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}
_DESCRIPTIONS = ("*.json", "*.txt", "*.model")  # of the model and its tokenizer
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")  # the first kind that there is


class HuggingFaceEncoder(ContextualEncoder):
    """The last hidden states of a transformer, pooled over the tokens (mean) or taken at the first one (cls).

    The model's files are found, or downloaded, when it is made; its weights are loaded when it is first needed.

    Parameters
    ----------
    name
        A folder with config.json, weights and tokenizer, or a name on the hub; if the local hub cache has a copy, that
        one is taken.
    max_length
        Tokens, special ones included, after which a text is cut; less where the model takes less.
    batch_size
        Texts of similar length that go through the model at once.
    device
        "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:1".
    precision
        "32", "bf16" or "16".

    Raises
    ------
    TextEncoderError
        The model cannot be found or read, or a parameter is not among those allowed.
    ConfigError
        There is no such device.
    """

    def __init__(
        self,
        name: str,
        *,
        pooling: str = "mean",
        query_prefix: str = "",
        document_prefix: str = "",
        max_length: int = 512,
        batch_size: int = 64,
        device: str = "auto",
        precision: str = "32",
    ) -> None:
        super().__init__(query_prefix, document_prefix)
        for key, value, allowed in (("pooling", pooling, POOLINGS), ("precision", precision, tuple(PRECISIONS))):
            if value not in allowed:
                raise TextEncoderError(f"text.{key} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")
        for key, number in (("max_length", max_length), ("batch_size", batch_size)):
            if number < 1:
                raise TextEncoderError(f"text.{key} is {number}; it must be at least 1")
        self.name = name
        self.pooling = pooling
        self.max_length = max_length
        self.batch_size = batch_size
        self.device = named_device(device, "text.device")
        self.precision = precision
        self.folder, version = _locate(name)
        self._config = self._load(transformers.AutoConfig)
        self.dim = getattr(self._config, "hidden_size", 0)
        if not self.dim:
            kind = self._config.model_type
            raise TextEncoderError(f"text.name={name!r} is no text encoder: a model of type {kind} has no hidden_size")
        parts = {"version": version, "pooling": pooling, "max_length": max_length, "precision": precision}
        self.fingerprint = fingerprint(Path(name).name, {**parts, "prefixes": self.prefixes})

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if not texts:
            return
        tokens = self._tokenizer(list(texts), truncation=True, max_length=self._token_limit)["input_ids"]
        longest_first = np.argsort([-len(ids) for ids in tokens], kind="stable")
        for first in range(0, len(texts), self.batch_size):
            rows = longest_first[first : first + self.batch_size]
            yield rows, self._embed([torch.tensor(tokens[row]) for row in rows])

    def token_spans(self, texts: Sequence[str]) -> list[Spans]:
        if not texts:
            return []
        found = self._tokenised(texts)
        return [
            np.array(spans, dtype=np.int64).reshape(-1, 2)[~np.array(special, dtype=bool)]
            for spans, special in zip(found["offset_mapping"], found["special_tokens_mask"], strict=True)
        ]

    def token_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        if not texts:
            return
        found = self._tokenised(texts)
        tokens, special = found["input_ids"], found["special_tokens_mask"]
        longest_first = np.argsort([-len(ids) for ids in tokens], kind="stable")
        for first in range(0, len(texts), self.batch_size):
            rows = longest_first[first : first + self.batch_size]
            hidden, _ = self._states([torch.tensor(tokens[row]) for row in rows])
            states = hidden.cpu().numpy()
            yield (
                rows,
                [
                    own[: len(special[row])][~np.array(special[row], bool)]
                    for row, own in zip(rows, states, strict=True)
                ],
            )

    def _tokenised(self, texts: Sequence[str]) -> Any:
        if not self._tokenizer.is_fast:
            raise TextEncoderError(
                f"the tokenizer of {self.name} does not tell where its tokens stand; set text.unit to sentence or document"
            )
        options = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
        return self._tokenizer(list(texts), truncation=True, max_length=self._token_limit, **options)

    def _embed(self, tokens: list[Tensor]) -> np.ndarray:
        """Pooled vectors (n, D) of n texts given as token ids."""
        hidden, mask = self._states(tokens)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weight = mask[..., None].float()
            pooled = (hidden * weight).sum(1) / weight.sum(1)
        return pooled.cpu().numpy()

    def _states(self, tokens: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Last hidden states (n, L, D) of n texts given as token ids, and which are no padding (n, L)."""
        pad = torch.nn.utils.rnn.pad_sequence
        filler = self._tokenizer.pad_token_id or 0  # masked, so any token does where the tokenizer has none for it
        ids = pad(tokens, batch_first=True, padding_value=filler).to(self.device)  # (n, L)
        mask = pad([torch.ones_like(one) for one in tokens], batch_first=True).to(self.device)
        try:
            with torch.no_grad():
                hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()  # (n, L, D)
        except torch.OutOfMemoryError as error:
            raise TextEncoderError(
                f"{self.name}: {len(tokens)} texts of {ids.shape[1]} tokens do not fit into the memory of "
                f"{self.device}; lower text.batch_size or text.max_length"
            ) from error
        if not hidden[mask.bool()].isfinite().all():
            raise TextEncoderError(
                f"{self.name} gives numbers that are not finite with text.precision={self.precision}; "
                "take text.precision=32 or bf16"
            )
        return hidden, mask

    @cached_property
    def _tokenizer(self) -> Any:
        return self._load(transformers.AutoTokenizer)

    @cached_property
    def _token_limit(self) -> int:
        positions = getattr(self._config, "max_position_embeddings", None) or self.max_length
        return min(self.max_length, self._tokenizer.model_max_length, positions)

    @cached_property
    def _model(self) -> torch.nn.Module:
        model, loading = self._load(transformers.AutoModel, output_loading_info=True)
        missing = [key for key in loading["missing_keys"] if "pooler" not in key]  # no pooling here asks the pooler
        if missing:
            raise TextEncoderError(
                f"the weights in {self.folder} do not belong to its config.json: {len(missing)} tensors are missing, "
                f"the first is {sorted(missing)[0]!r}"
            )
        if self._config.is_encoder_decoder:
            model = model.get_encoder()
        return model.to(self.device, PRECISIONS[self.precision]).eval().requires_grad_(False)

    def _load(self, kind: Any, **options: Any) -> Any:
        """What `kind`, one of transformers' Auto classes, makes of the folder."""
        try:
            with quiet_transformers():
                return kind.from_pretrained(self.folder, local_files_only=True, trust_remote_code=False, **options)
        except Exception as error:  # transformers lets through whatever json, tokenizers, safetensors and torch raise
            raise TextEncoderError(
                f"{self.folder} cannot be read as a text encoder ({first_line(error)}). {_LAYOUT}"
            ) from error


def _locate(name: str) -> tuple[Path, str]:
    """The folder that holds the model and its version: a digest of its files or its commit on the hub."""
    folder = at_home(name)
    if folder.is_dir():
        if not any(any(folder.glob(weights)) for weights in _WEIGHTS):
            raise TextEncoderError(f"the folder {folder} holds no weights ({' or '.join(_WEIGHTS)}). {_LAYOUT}")
        return folder, _digest(folder)
    tried = f"text.name={name!r} is neither 'wordllama' nor a folder"
    return find_model(name, _WEIGHTS, tried=tried, advice=_ADVICE, error=TextEncoderError)


def _digest(folder: Path) -> str:
    """A digest of the content of the files that determine the vectors.

    Copies of a folder have the same; times and sizes do not show every change of the weights.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and any(path.match(pattern) for pattern in _DESCRIPTIONS + _WEIGHTS):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.name}\n{content}\n".encode())
    return digest.hexdigest()


_ADVICE = (
    "Is it spelled right? Without network: `hf download NAME --local-dir FOLDER` on a machine that has one, bring the "
    "folder here and give text.name=FOLDER; or take text.name=wordllama, which comes with the installation."
)

_LAYOUT = (
    "A model's folder holds config.json, model.safetensors and the tokenizer's files, as "
    "`hf download NAME --local-dir FOLDER` writes them."
)
