"""Probes: a text or its window is changed in one thing, and a model that understands the pair scores it lower.

Time shuffled, direction words swapped, channel names swapped and numbers changed make a pair wrong. Place and date removed
does not: there the score should stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from trace_lit.channels import Channel
from trace_lit.retrieval.directions import SCORE_GRID
from trace_lit.retrieval.metrics import Metrics

TIME = "time_shuffled"

_OPPOSITES = (  # each for the other, form by form: where it goes, and how it compares, but not what level it has
    "rise/fall rises/falls rose/fell risen/fallen rising/falling raised/lowered raising/lowering "
    "increase/decrease increases/decreases increased/decreased increasing/decreasing increasingly/decreasingly "
    "climb/drop climbs/drops climbed/dropped climbing/dropping gain/loss gains/losses gained/lost "
    "grow/shrink grows/shrinks grew/shrank grown/shrunk growing/shrinking growth/decline "
    "up/down upward/downward upwards/downwards uptick/downtick upturn/downturn ascending/descending "
    "surge/plunge surged/plunged surging/plunging soared/plummeted soaring/plummeting jumped/slumped "
    "higher/lower highest/lowest warmer/cooler warming/cooling warmed/cooled hotter/colder warmest/coolest hottest/coldest "
    "stronger/weaker strongest/weakest strengthened/weakened strengthening/weakening intensified/eased "
    "intensifying/easing wetter/drier dearer/cheaper improved/worsened improving/worsening"
)
_ONE_WAY = {"decline": "rise", "declines": "rises", "declined": "rose", "declining": "rising", "dipped": "rose"}

_MONTH = (
    r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?\b"
_DATE = re.compile(
    rf"""(?:\b(?i:as\s+of|on|in|of|by|since|from|until|during)\s+(?:the\s+)?)?
    (?: \b\d{{4}}-\d{{2}}(?:-\d{{2}})?(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}})?)?\b
      | (?:\b{_DAY}\s+(?:of\s+)?)?{_MONTH}(?:\s+{_DAY}(?!\.\d))?(?:,?\s+\d{{4}}\b)?
      | \b(?:19|20)\d{{2}}(?:[-/]\d{{2,4}})?\b
      | \b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b
    )""",
    re.VERBOSE,
)
_NAME = r"(?:[A-Z][\w’'.-]*\w|U\.S\.A?\.?)"
_PLACE = re.compile(
    rf"(?:^|(?<=[\w,;:)])\s+)(?i:in|at|near|around|across|over|throughout|for)\s+(?:the\s+)?{_NAME}(?:\s+{_NAME})*"
)
_SUBJECT = re.compile(  # a place that something happens to: "…, Houston has seen"
    rf"(?<=, ){_NAME}(?:\s+{_NAME})*(?=\s+(?:has|had|have|saw|experienced|recorded|was|is|shows?|showed)\b)"
)
_NUMBER = re.compile(  # none that counts the steps: "24 hours", "20-week"
    r"(?<![\w.])(\d+(?:,\d{3})*)(\.\d+)?(?![\d.]*\d)(?![\s-]*(?:minute|hour|day|week|month|quarter|year)s?\b)"
)


def _table() -> dict[str, str]:
    pairs = [pair.split("/") for pair in _OPPOSITES.split()]
    return dict(pairs) | {b: a for a, b in pairs} | _ONE_WAY


OPPOSITE = _table()
_DIRECTION = re.compile(rf"\b({'|'.join(sorted(OPPOSITE, key=len, reverse=True))})\b", re.IGNORECASE)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word


def swap_directions(text: str) -> str | None:
    """Every word that tells where something goes turned into its opposite; None where the text has none."""
    swapped = _DIRECTION.sub(lambda found: _cased(OPPOSITE[found[0].lower()], found[0]), text)
    return None if swapped == text else swapped


def channel_swapper(channels: Sequence[Channel]) -> Callable[[str], str | None]:
    """A function that swaps the names of the channels in a text, None where the text does not name two.

    A channel is named by its name, or by the end of its name where no other channel's name has it: "humidity" for
    relative humidity. Each name that occurs is put in the place of the next.
    """
    names: dict[str, int] = {}
    for place, channel in enumerate(channels):
        words = channel.name.lower().split()
        others = [f" {other.name.lower()} " for other in channels if other.name != channel.name]
        for begin in range(len(words)):
            ending = " ".join(words[begin:])
            if len(ending) > 2 and (begin == 0 or not any(f" {ending} " in other for other in others)):
                names.setdefault(ending, place)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(s?)\b", re.IGNORECASE)

    def swap(text: str) -> str | None:
        first: dict[int, str] = {}  # channels in the order of the text, as it names them
        for found in pattern.finditer(text):
            first.setdefault(names[found[1].lower()], found[1].lower())
        if len(first) < 2:
            return None
        order = list(first)
        following = dict(zip(order, [*order[1:], order[0]], strict=True))

        def other(found: re.Match[str]) -> str:
            name = _cased(first[following[names[found[1].lower()]]], found[1])
            return name if name.endswith(("s", "y")) else name + found[2]

        return pattern.sub(other, text)

    return swap


def remove_place_and_date(text: str) -> str | None:
    """The text without dates, and without names of places behind a preposition; None where it has neither."""
    removed = _SUBJECT.sub("the area", _PLACE.sub("", _DATE.sub("", text)))
    removed = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"[ \t]{2,}", " ", removed)).strip(" ,")
    return None if removed == text.strip() or not removed else removed


def change_numbers(text: str, rng: np.random.Generator) -> str | None:
    """Every number that is no date half or twice as large, give or take a tenth; None where the text has none."""
    dates = [found.span() for found in _DATE.finditer(text)]

    def changed(found: re.Match[str]) -> str:
        if any(begin < found.end() and found.start() < end for begin, end in dates):
            return found[0]
        decimals = len(found[2] or ".") - 1
        value = float(found[0].replace(",", "")) * rng.choice([0.5, 2.0]) * rng.uniform(0.9, 1.1)
        return f"{value:,.{decimals}f}" if "," in found[1] else f"{value:.{decimals}f}"

    other = _NUMBER.sub(changed, text)
    return None if other == text else other


def text_probes(channels: Sequence[Channel], seed: int = 0) -> dict[str, Callable[[str], str | None]]:
    """The probes that change a text, by name."""
    rng = np.random.default_rng(seed)
    return {
        "directions_swapped": swap_directions,
        "channels_swapped": channel_swapper(channels),
        "numbers_changed": lambda text: change_numbers(text, rng),
        "place_and_date_removed": remove_place_and_date,
    }


def shuffled_steps(lengths: Iterable[int], steps: int, seed: int = 0) -> NDArray[np.int64]:
    """(N, steps) a new order of the last `lengths` steps of each of N windows; the steps before, padding, stay."""
    rng = np.random.default_rng(seed)
    orders = [
        np.r_[np.arange(steps - length), steps - length + rng.permutation(length)] for length in map(int, lengths)
    ]
    return np.array(orders, dtype=np.int64).reshape(-1, steps)


def probe_metrics(before: NDArray[np.floating], after: NDArray[np.floating], own: NDArray[np.int64]) -> Metrics:
    """What a change did to the scores of the right windows.

    `texts` is their number, `noticed` the share whose score fell, `rank_worse` the share whose rank got worse, `change`
    the mean change of the score.

    Parameters
    ----------
    before, after
        (Q, N) scores of texts with the windows of a pool.
    own
        (Q,) the place of each text's window.
    """
    if not len(own):
        return {"texts": 0}
    rows = np.arange(len(own))
    score, changed = before[rows, own], after[rows, own]
    rank, new_rank = (
        (scores > right[:, None] + SCORE_GRID).sum(1) for scores, right in ((before, score), (after, changed))
    )
    return {
        "texts": len(own),
        "noticed": float((changed < score - SCORE_GRID).mean()),
        "rank_worse": float((new_rank > rank).mean()),
        "change": float((changed - score).mean()),
    }
