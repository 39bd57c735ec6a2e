"""The text vectors of corpora: each distinct text once, as the vectors of its pieces or of its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from trace_lit.text import MARKS, TextEncoder, document, sentences, splitter
from trace_lit.text.tokens import joined_marks, number_marks

NO_TEXT = -1  # as a text id; a negative id equals no other
_STRIDE = 1024  # between the numbers of the sentences of two texts that are joined


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
        self._width = 0 if encoder is None else encoder.dim
        vectors = np.zeros((0, self._width), np.float32)
        if encoder is not None and place:
            vectors = encoder.encode(list(place), kind=kind)
        self._vectors = torch.cat([torch.zeros(1, self._width), torch.from_numpy(np.array(vectors, dtype=np.float32))])

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, texts: Iterable[str]) -> Tensor:
        """The texts' numbers, int64; 0 for a text that is empty or that the table does not hold."""
        return torch.tensor([self._numbers.get(text, 0) for text in texts], dtype=torch.int64)

    def look_up(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, D) and mask (B, S) of the pieces of texts `numbers` (B,); S ≥ 1 is the most that one has."""
        return self.joined(numbers.unsqueeze(1))

    def batches(self, numbers: Tensor, pieces: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Places (n,) in `numbers` (B,) and what `look_up` gives of them: of like length, one text or `pieces` in all."""
        first, order = 0, self._count[numbers].argsort(stable=True)
        length = self._count[numbers[order]].clamp(min=1)
        while first < len(order):
            padded = length[first:] * torch.arange(1, 1 + len(order) - first)
            many = max(1, int((padded <= pieces).sum()))
            places = order[first : first + many]
            yield places, *self.look_up(numbers[places])
            first += many

    def joined(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Likewise of texts that are each of the texts `numbers` (B, J), one behind another; 0 adds nothing."""
        count = self._count[numbers]  # (B, J)
        length = count.sum(1)
        mask = torch.arange(max(1, int(length.max()) if len(length) else 0)) < length.unsqueeze(1)
        part = torch.arange(numbers.shape[1]).repeat(len(numbers)).repeat_interleave(count.flatten())
        start = (count.flatten().cumsum(0) - count.flatten()).repeat_interleave(count.flatten())
        place = self._first[numbers].flatten().repeat_interleave(count.flatten()) + torch.arange(len(part)) - start
        text = torch.zeros(*mask.shape, self._width)
        if len(place):
            text[mask] = self._pieces(place, part)
        return text, mask

    def _pieces(self, place: Tensor, part: Tensor) -> Tensor:
        """The vectors (m, D) of pieces in the order of the table, which are in the text `part` (m,) of those joined."""
        return self._vectors[self._rows[place]]

    @staticmethod
    def ids(numbers: Tensor) -> Tensor:
        """As `MultimodalBatch` has them: equal ids are equal texts, `NO_TEXT` where there is none."""
        return torch.where(numbers > 0, numbers, NO_TEXT)


class TokenTable(TextTable):
    """Distinct texts and their tokens' vectors with marks, (B, S, D + 4) where S counts tokens; see `trace_lit.text.tokens`.

    What it holds of a token is a place in the encoder's table, which may be a memory map, and the marks.
    """

    def __init__(self, texts: Iterable[str], encoder: TextEncoder | None, kind: str = "document") -> None:
        super().__init__((), None, document)
        self._width = MARKS + (0 if encoder is None else encoder.dim)
        if encoder is None:
            return
        pieces: dict[str, int] = {}
        of_text: list[list[int]] = []
        for text in dict.fromkeys(text for text in texts if text.strip()):
            self._numbers[text] = 1 + len(of_text)
            of_text.append([pieces.setdefault(piece, len(pieces)) for piece in sentences(text) or [text]])
        found = encoder.tokens(list(pieces), kind)
        marks = [number_marks(piece, spans) for piece, spans in zip(pieces, found.spans, strict=True)]
        rows = [np.concatenate([found.rows[piece] for piece in own]) for own in of_text]
        count = [0, *map(len, rows)]
        self._count = torch.tensor(count)
        self._first = self._count.cumsum(0) - self._count
        self._rows = torch.from_numpy(np.concatenate([*rows, np.zeros(1, np.int64)]))
        own_marks = [joined_marks([marks[piece] for piece in own]) for own in of_text]
        self._marks = torch.from_numpy(np.concatenate([*own_marks, np.zeros((1, MARKS), np.float32)]))
        self._table = found.table

    def _pieces(self, place: Tensor, part: Tensor) -> Tensor:
        vectors = torch.from_numpy(self._table[self._rows[place].numpy()]).float()
        marks = self._marks[place]
        marks[:, 0] += _STRIDE * part  # sentences of another text
        return torch.cat([vectors, marks], dim=1)


def text_table(texts: Iterable[str], encoder: TextEncoder | None, unit: str, kind: str = "document") -> TextTable:
    """The table of texts that have a vector for each "sentence" or "token", or one for the "document"."""
    if unit == "token":
        return TokenTable(texts, encoder, kind)
    return TextTable(texts, encoder, splitter(unit), kind)
