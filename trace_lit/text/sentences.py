"""Sentences of a text in any script.

Where it is unclear whether a sentence ends, it does not: two sentences kept together do no harm, half a number does.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Look-alikes of ASCII characters are written as escapes.
_CLOSING = r"[\"'”\u2019»)\]}」』】》]*"
_END = re.compile(
    rf"(?P<latin>[.!?…]+){_CLOSING}(?:\s+|;\s*|$)"  # ; joins the parts of a text in Time-MMD
    rf"|[。\uff01\uff1f｡।॥؟\u06d4\u0589።፧။៕]+{_CLOSING}\s*"  # scripts whose full stop means nothing else
    r"|\n\s*\n"
    r"|\n(?=[ \t]*(?:[-*•]|\d{1,3}[.)])\s)"  # before an item of a list
)
_LIST_NUMBER = re.compile(r"\s*\(?(?:\d{1,3}|[^\W\d_])\.\Z")
_INITIALS = re.compile(r"[^\w]*(?:[^\W\d_]\.)+\Z")  # J. Smith, U.S., e.g., i.e.
_DAY_HALF = re.compile(r"[ap]\.m\.\Z", re.IGNORECASE)
_BEFORE_A_NAME = re.compile(r"mrs?|ms|dr|prof|st|gov|sen|rep|gen|col|sgt|lt|capt|rev|hon|vs|cf|al")
_BEFORE_A_NUMBER = re.compile(
    r"nos?|figs?|eqs?|sec|vol|ch|art|pp?|approx|ca|avg|min|max|est|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)


def document(text: str) -> list[str]:
    """The text as its only part."""
    return [text]


def splitter(unit: str) -> Callable[[str], list[str]]:
    """What cuts a text into the parts that have a vector each: `sentences` for "sentence", `document` for "document"."""
    return sentences if unit == "sentence" else document


def sentences(text: str) -> list[str]:
    """The sentences of `text` in their order, without the white space around them; none is empty."""
    return [stripped for piece in sentence_pieces(text) if (stripped := piece.strip())]


def sentence_pieces(text: str) -> list[str]:
    """`text` cut after each sentence and the white space after it; joined, the pieces are the text."""
    pieces = []
    start = 0
    for end in _END.finditer(text):
        if end["latin"] is None or _ends_sentence(text, start, end):
            pieces.append(text[start : end.end()])
            start = end.end()
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _ends_sentence(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the stop at `end` ends the sentence that began at `start`."""
    following = text[end.end() : end.end() + 1]
    if following.islower():
        return False
    if end["latin"] != ".":
        return True
    sentence = text[start : end.end("latin")]
    word = sentence.rsplit(maxsplit=1)[-1]
    bare = word.strip("(\"'“\u2018[.").lower()
    if _LIST_NUMBER.match(sentence) or _BEFORE_A_NAME.fullmatch(bare):
        return False
    if _BEFORE_A_NUMBER.fullmatch(bare) and following.isdigit():
        return False
    return not _INITIALS.match(word) or bool(_DAY_HALF.search(word))
