"""The text vectors of corpora: each distinct text once, as the vectors of its pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from trace_lit.text import TextEncoder, document, splitter

NO_TEXT = -1  # as a text id; a negative id equals no other


class TextTable:
    """Distinct texts, numbered from 1, and the vectors of their distinct pieces. Number 0 is no text.

    Parameters
    ----------
    texts
        All texts that will be asked for, in any number.
    encoder
        Encodes the pieces. Without one, no text counts as a text and the vectors have width 0.
    pieces
        What a text is cut into: `trace_lit.text.sentences` or `document`.
    kind
        The prefix that the encoder puts before a piece, "document" or "query".
    """

    def __init__(
        self,
        texts: Iterable[str],
        encoder: TextEncoder | None,
        pieces: Callable[[str], list[str]],
        kind: str = "document",
    ) -> None:
        self._numbers: dict[str, int] = {}
        place: dict[str, int] = {}  # piece -> row of the vectors; row 0 is padding
        rows: list[int] = []
        count = [0]
        if encoder is not None:
            for text in dict.fromkeys(text for text in texts if text.strip()):
                self._numbers[text] = len(count)
                own = [place.setdefault(piece, 1 + len(place)) for piece in pieces(text) or document(text)]
                rows += own
                count.append(len(own))
        self._count = torch.tensor(count)
        self._first = self._count.cumsum(0) - self._count
        self._rows = torch.tensor([*rows, 0])
        width = 0 if encoder is None else encoder.dim
        vectors = np.zeros((0, width), np.float32)
        if encoder is not None and place:
            vectors = encoder.encode(list(place), kind=kind)
        self._vectors = torch.cat([torch.zeros(1, width), torch.from_numpy(np.array(vectors, dtype=np.float32))])

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, texts: Iterable[str]) -> Tensor:
        """The texts' numbers, int64; 0 for a text that is empty or that the table does not hold."""
        return torch.tensor([self._numbers.get(text, 0) for text in texts], dtype=torch.int64)

    def look_up(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, D) and mask (B, S) of the pieces of texts `numbers` (B,); S ≥ 1 is the most that one has."""
        count = self._count[numbers]
        steps = torch.arange(max(1, int(count.max()) if len(count) else 0))
        mask = steps < count.unsqueeze(1)
        places = torch.where(mask, self._first[numbers].unsqueeze(1) + steps, -1)
        return self._vectors[self._rows[places]], mask

    @staticmethod
    def ids(numbers: Tensor) -> Tensor:
        """As `MultimodalBatch` has them: equal ids are equal texts, `NO_TEXT` where there is none."""
        return torch.where(numbers > 0, numbers, NO_TEXT)


def text_table(texts: Iterable[str], encoder: TextEncoder | None, unit: str, kind: str = "document") -> TextTable:
    """The table of texts that have a vector for each "sentence", or one for the "document"."""
    return TextTable(texts, encoder, splitter(unit), kind)
