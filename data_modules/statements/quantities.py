"""What the tables of everyday words are made of: quantities, their states and movements, and numbers with a name.

Entries of one sort stand in one text, separated by semicolons; each is a phrase of `grammar`. In a clause, verbs stand
in braces in their base form ("the wind {pick up|freshen}"), so that `verbs` can put it into any tense, ask and deny it.
"""

from __future__ import annotations

from dataclasses import dataclass


def entries(text: str) -> tuple[str, ...]:
    """The entries of a text of a table."""
    return tuple(entry for part in text.split(";") if (entry := " ".join(part.split())))


@dataclass(frozen=True)
class State:
    """How people speak of a quantity that is high, or low; empty where there is no word of its own.

    Degrees are 1 fairly, 2 plainly, 3 very and 4 extremely. Adjectives go with "it was …" and "a … day", nouns with
    "find …" and "days with …", clauses stand by themselves.
    """

    plain: str = ""  # adjectives that take "fairly", "very" and "extremely"
    mild: str = ""  # adjectives of degree 1
    strong: str = ""  # of degrees 3 and 4
    extreme: str = ""  # of degree 4
    most: str = ""  # superlatives
    more: str = ""  # comparatives
    noun: str = ""  # of degree 2 and above; those that begin with an adjective of measure take adverbs too
    strong_noun: str = ""  # of degrees 3 and 4
    clause: str = ""  # of degree 2 and above
    strong_clause: str = ""  # of degrees 3 and 4


@dataclass(frozen=True)
class Move:
    """How people speak of a rise, or of a fall."""

    clause: str = ""
    noun: str = ""


@dataclass(frozen=True)
class Landmark:
    """A number with a name of its own: frost, gale, fever. `unit` is that of the number."""

    statistic: str  # maximum, minimum or mean
    above: bool
    number: float
    unit: str
    noun: str
    clause: str
    without: str = ""  # nouns that "no" and "without" deny: they deny the landmark as a whole


@dataclass(frozen=True)
class Quantity:
    """What people call a physical quantity, its states and its movements."""

    kind: str
    name: str  # pattern of the channel's name
    unit: str = ""  # pattern that the unit must match
    names: str = ""  # singular nouns for the quantity
    plurals: str = ""  # plural nouns for it
    high: State = State()
    low: State = State()
    rise: Move = Move()
    fall: Move = Move()
    conditions: str = ""  # nouns that take the adjectives: humid weather
    landmarks: tuple[Landmark, ...] = ()


@dataclass(frozen=True)
class Idiom:
    """Words that need several quantities: muggy is warm and humid.

    Each part is a quantity's kind, `mean` or `change`, and 1 for high or rising, −1 for low or falling.
    """

    parts: tuple[tuple[str, str, int], ...]
    adjective: str = ""
    noun: str = ""
    clause: str = ""
