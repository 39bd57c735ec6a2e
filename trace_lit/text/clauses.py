"""Clauses of a sentence: the pieces of a question that an explanation names, like "wind up" and "then calm".

Words are cut, never changed: a clause begins with the word that joins it to the one before.
"""

from __future__ import annotations

import re

_CUT = re.compile(
    r"[,;:](?=\s)\s*(?:(?:and|but|or|then|yet|with|while|though|although)\b\s*)*"
    r"|\s[–—-]\s"  # a dash between spaces
    r"|\s+(?=(?:and|but|then|yet|with|without|while|whereas|though|although|before|after|followed by)\b)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\bbetween\b(?:(?!\band\b)[^,;:])*\Z", re.IGNORECASE)  # the next "and" belongs to it
_WORD = re.compile(r"\w")
_JOINING = re.compile(r"\s*(?:and|but|or|then|yet|with|while|though|although)\s*", re.IGNORECASE)


def clauses(sentence: str) -> list[tuple[int, int]]:
    """Where the clauses of a sentence begin and end, in characters; each has a word of its own.

    They follow one another without gaps.

    Examples
    --------
    >>> text = "strong winds, then calm with between 5 and 10 °C"
    >>> [text[start:end].strip() for start, end in clauses(text)]
    ['strong winds,', 'then calm', 'with between 5 and 10 °C']
    """
    found = []
    start = 0
    for cut in _CUT.finditer(sentence):
        at = cut.start() + len(cut.group()[:1].strip())  # behind a mark, before a word
        own, rest = sentence[start:at], sentence[at:]
        is_range = _RANGE.search(own) and rest.lstrip().lower().startswith("and")
        is_word = _WORD.search(own) and not _JOINING.fullmatch(own.rstrip(",;:"))
        if is_range or not is_word or not _WORD.search(rest):
            continue
        found.append((start, at))
        start = at
    return [*found, (start, len(sentence))]
