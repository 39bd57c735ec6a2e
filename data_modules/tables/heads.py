"""The head of a table: the line that names its columns among titles, comments and lines of units, and what these say."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_modules.tables.columns import is_time_name
from data_modules.tables.numbers import is_missing
from data_modules.tables.times import reads_as_time

_COMMENTS = ("#", "//", "sep=")  # lines that begin so say something about the file
_MOST_BELOW = 3  # lines between the header and the first row, of units and the like
_LONGEST_UNIT = 15  # letters; a longer cell below a name is no unit
_LONGEST_VALUE = 100  # characters; matching takes the square of them
_LIKE_A_VALUE = re.compile(r"[-+\u2212(]?[\d.,]*\d[\d.,:/ T%)-]*([eE][-+]?\d+)?|\d.*\d:\d\d.*")


@dataclass
class Head:
    """The lines above the first row of values."""

    header: int  # the line, from 1, that names the columns; 0: none does
    names: list[str]
    below: int = 0  # lines between it and the first row
    units: dict[str, str] = field(default_factory=dict)  # of columns, where a line below their names has them

    @property
    def lines(self) -> int:
        """How many lines are above the first row."""
        return self.header + self.below


def distinct_names(names: Sequence[Any]) -> list[str]:
    """Names of columns as texts, each once: one without a name gets its number, a second of a name is followed by _2."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for number, name in enumerate(names, start=1):
        text = " ".join(str(name).split()) if name is not None and name == name else ""
        text = text or f"column {number}"
        seen[text] += 1
        found.append(text if seen[text] == 1 else f"{text}_{seen[text]}")
    return found


def usual_width(rows: Sequence[Collection[str]]) -> int:
    """How many cells most rows have."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width)) if counts else 1


def find_head(rows: Sequence[Sequence[str]], header: int | None = None) -> Head:
    """The head of a table: its `header`, found out where it is None, and the lines below it that hold no values."""
    cells = [[cell.strip() for cell in row] for row in rows]
    width = usual_width([row for row in cells if any(row)])
    header = (_find_header(cells, width) or _line_of_times(cells)) if header is None else header
    if not 0 < header <= len(cells):
        return Head(header, distinct_names([None] * width))
    own, above = cells[header - 1], cells[header - 2] if header > 1 else []
    names = list(own)
    if len(above) == len(own):  # names that come several times lie below those of groups
        group, counts = "", Counter(own)
        for place, name in enumerate(own):
            group = above[place] or group
            if counts[name] > 1 and name and group:
                names[place] = f"{group} {name}"
            elif not name:  # a cell that reaches over both lines
                names[place] = above[place]
    names[:1] = [name.lstrip("#/ ") or name for name in names[:1]]
    head = Head(header, distinct_names(names))
    body = [row for row in cells[header:] if any(row)]
    numbers = _columns_of_values(body[_MOST_BELOW:] or body[-1:], len(own))
    below = list(itertools.takewhile(lambda row: _is_below(row, numbers), cells[header : header + _MOST_BELOW]))
    head.below = len(below)
    if below and _are_groups(own, below[0]):
        head.names = distinct_names(_below_groups(own, below.pop(0)))
    elif below and len(below[0]) == len(names) and len(set(names)) < len(names):  # the line below tells them apart
        parts, counts = zip(names, below[0], strict=True), Counter(names)
        head.names = distinct_names([f"{name} {part}".strip() if counts[name] > 1 else name for name, part in parts])
        below = []
    units = {head.names[place]: below[0][place] for place in sorted(numbers) if below and place < len(below[0])}
    units = {
        name: re.sub(r"^\[(.*)\]$|^\((.*)\)$", r"\1\2", unit) for name, unit in units.items() if not is_time_name(name)
    }
    if units and all(len(unit) <= _LONGEST_UNIT for unit in units.values()) and not all(map(_is_width, below[0])):
        head.units = {name: unit for name, unit in units.items() if not is_missing(unit)}
    return head


def _find_header(rows: Sequence[Sequence[str]], width: int) -> int:
    """The line, from 1, that names the columns: the first as wide as most that holds no values; 0: there is none.

    Of several such lines above the first row of values it is the one that names a time.
    """
    whole: list[int] = []  # lines that may be the header
    partly: list[int] = []  # where no other is: of another width, or empty for the most part
    comments: list[int] = []
    for number, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell]
        values = sum(map(_is_value, filled))
        if not filled or row[0].casefold().startswith("sep="):
            continue
        if row[0].startswith(_COMMENTS):
            comments += [number] * (len(row) == width)
        elif _is_fact(row) and width > 2:
            continue
        elif len(row) != width:
            if (len(row) > width or len(filled) >= (width - 1 if width > 2 else width)) and values * 2 < len(filled):
                partly.append(number)
        elif len(filled) * 2 <= width and not values and len(filled) < len(row):
            partly.append(number)
        elif (whole and values) or (
            values * 2 >= len(filled) and not (any(map(is_time_name, row)) and _are_names(row))
        ):
            break
        else:
            whole.append(number)
    if not whole:
        return partly[-1] if partly else comments[-1] if comments else 0
    times = [number for number in whole if any(map(is_time_name, rows[number - 1]))]
    return times[0] if times else whole[0]


def _line_of_times(rows: Sequence[Sequence[str]]) -> int:
    """The first line, from 1, where most of its cells are times, as of a table with a column a time; 0: they are not."""
    first = next((number for number, row in enumerate(rows, start=1) if any(row)), 0)
    cells = rows[first - 1] if first else []
    return first if sum(map(reads_as_time, cells)) > max(2, len(cells) / 2) else 0


def _are_names(row: Sequence[str]) -> bool:
    """Whether cells may be names: a year or a number each beside the name of the time, and one twice at most.

    The hour that comes twice in autumn may have two columns.
    """
    return len(set(row)) >= len(row) - 1 and not any(reads_as_time(cell) and not cell.isdecimal() for cell in row)


def _is_fact(row: Sequence[str]) -> bool:
    """Whether a row is a word and a value, like the place of a station."""
    return not any(row[2:]) and len(row) > 1 and bool(row[0]) and not _is_value(row[0]) and _is_value(row[1])


def _are_groups(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether the line `lower` has the names, and the one above names groups of them, whose cells were merged."""
    filled = [place for place, name in enumerate(lower) if name]
    hollow = [place for place in filled if place < len(upper) and not upper[place]]
    return len(lower) == len(upper) and len(hollow) * 3 >= len(filled) > 1


def _below_groups(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """The names of columns whose groups stand above them."""
    names, group = [], ""
    for above, name in zip(upper, lower, strict=True):
        group = (above or group) if name else ""
        names.append(f"{group} {name}".strip() if name else above)
    return names


def _is_width(cell: str) -> bool:
    """Whether a cell says how wide a column is, as a line of USGS' files does."""
    return re.fullmatch(r"\d+[sdn]", cell) is not None


def _is_value(cell: str) -> bool:
    return len(cell) <= _LONGEST_VALUE and _LIKE_A_VALUE.fullmatch(cell) is not None


def _columns_of_values(rows: Sequence[Sequence[str]], width: int) -> set[int]:
    """The places of the columns that hold values in most of the rows."""
    found = set()
    for place in range(width):
        cells = [row[place] for row in rows if place < len(row) and not is_missing(row[place])]
        if cells and sum(map(_is_value, cells)) * 2 > len(cells):
            found.add(place)
    return found


def _is_below(row: Sequence[str], numbers: set[int]) -> bool:
    """Whether a line below the header is no row of values: where these are, it has words, like those of units."""
    own = [row[place] for place in sorted(numbers) if place < len(row)]
    words = [cell for cell in own if not is_missing(cell)]
    return bool(words) and not any(map(_is_value, words)) and not any(map(reads_as_time, row))
