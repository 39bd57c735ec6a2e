"""Verbs and clauses in every tense: stated, asked, denied, and as a noun phrase with a participle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_SINGULAR = re.compile(r"(ss|us|is|ies|news|gas|mas|[^aeiou]as)$")
_HEAD = re.compile(r" (in|of|from|for|at|on|aged|tested|without|with|by|per|among|a|above|under|over)\b")
_PLURAL_SUBJECTS = {
    "we",
    "you",
    "they",
    "people",
    "a lot of people",
    "children",
    "men",
    "women",
    "elderly",
    "young",
    "old",
    "middle-aged",
    "skies",
    "umbrellas",
    "supplies",
    "equities",
    "motorists",
    "sats",
    "not many",
    "many",
}
_IRREGULAR = {  # past of one, past of several, present of one, present of several
    "be": ("was", "were", "is", "are"),
    "have": ("had", "had", "has", "have"),
    "not_be": ("was not|wasn't", "were not|weren't", "is not|isn't", "are not|aren't"),
    "do": ("did", "did", "does", "do"),
    "go": ("went", "went", "goes", "go"),
}
_PASTS = {
    **{"keep": "kept", "hold": "held", "run": "ran", "get": "got", "come": "came", "begin": "began", "swing": "swung"},
    **{
        "leave": "left",
        "blow": "blew",
        "grow": "grew",
        "rise": "rose",
        "fall": "fell",
        "sink": "sank",
        "shoot": "shot",
    },
    **{
        "become": "became",
        "feel": "felt",
        "read": "read",
        "sit": "sat",
        "freeze": "froze",
        "bite": "bit",
        "cut": "cut",
    },
    **{"hit": "hit", "stand": "stood", "lie": "lay", "take": "took", "fly": "flew", "shake": "shook", "let": "let"},
    **{"break": "broke", "see": "saw", "shine": "shone", "hang": "hung", "bring": "brought", "beat": "beat"},
    **{"find": "found", "pay": "paid", "cost": "cost", "lose": "lost", "win": "won", "sell": "sold", "stop": "stopped"},
    **{"hide": "hid", "drive": "drove", "set": "set", "spin": "spun", "stream": "streamed", "spring": "sprang"},
    **{"build": "built", "sleep": "slept", "give": "gave", "burst": "burst", "spread": "spread", "slide": "slid"},
    **{"draw": "drew", "fight": "fought", "show": "showed", "sweat": "sweated", "dig": "dug", "sweep": "swept"},
    **{"drop": "dropped", "slip": "slipped", "chop": "chopped", "dip": "dipped", "tip": "tipped", "ebb": "ebbed"},
    **{"creep": "crept", "ring": "rang", "swell": "swelled", "plan": "planned", "drip": "dripped", "flap": "flapped"},
    **{"grip": "gripped", "top": "topped", "sag": "sagged", "dry": "dried", "pant": "panted", "flag": "flagged"},
    **{"sat": "satted", "desat": "desatted", "tick": "ticked", "sway": "swayed", "stir": "stirred", "tail": "tailed"},
    **{"tread": "trod", "speed": "sped", "mean": "meant", "throw": "threw", "chuck": "chucked", "teem": "teemed"},
    **{"spend": "spent", "span": "spanned", "stick": "stuck"},
    **{"kick": "kicked", "whip": "whipped", "ramp": "ramped", "wake": "woke", "back": "backed", "peter": "petered"},
    **{"make": "made", "claim": "claimed", "shrink": "shrank", "keep": "kept", "hum": "hummed"},
}
_DOUBLED = {"get", "run", "begin", "cut", "hit", "sit", "let", "set", "spin", "dig", "stop", "win", "put", "stir"}
_VERB = re.compile(r"\{([^{}]*)\}")
_THIRD = re.compile(r"(ch|sh|ss|x|o)$")


@cache
def forms(base: str) -> tuple[str, str, str, str]:
    """Past and present, of one and of several."""
    if base in _IRREGULAR:
        return _IRREGULAR[base]
    if base in _PASTS:
        past = _PASTS[base]
    elif base.endswith("y") and base[-2] not in "aeiou":
        past = f"{base[:-1]}ied"
    else:
        past = f"{base}d" if base.endswith("e") else f"{base}ed"
    ending_y = base.endswith("y") and base[-2] not in "aeiou"
    third = f"{base[:-1]}ies" if ending_y else f"{base}es" if _THIRD.search(base) else f"{base}s"
    return past, past, third, base


def participle(base: str) -> str:
    """The form in -ing."""
    if base == "lie":
        return "lying"
    if base in _DOUBLED or _PASTS.get(base, "").endswith(f"{base[-1]}{base[-1]}ed"):
        return f"{base}{base[-1]}ing"
    return f"{base[:-1]}ing" if base.endswith("e") and not base.endswith(("ee", "be")) else f"{base}ing"


def is_plural(name: str) -> bool:
    """Whether the name's head noun is in the plural: "influenza deaths", "specimens tested"."""
    if name.lower() in _PLURAL_SUBJECTS:
        return True
    words = _HEAD.split(name.lower())[0].split()
    if not words:
        return False
    head = words[-1]
    return head in _PLURAL_SUBJECTS or (len(head) > 3 and head.endswith("s") and not _SINGULAR.search(head))


@dataclass(frozen=True)
class Clause:
    """A clause in its forms, each a phrase of `grammar`; `being` is None where it begins with "it" or "there"."""

    past: str
    present: str
    asked: str  # without its question mark, in the past: did it get warmer
    denied: str  # in the past: it did not get warmer
    being: str | None  # the wind picking up


@cache
def clauses(template: str) -> tuple[Clause, ...]:
    """The clauses of "the wind {pick up|freshen}", one for each choice of the first verb.

    Raises
    ------
    ValueError
        The template has no verb in braces.
    """
    match = _VERB.search(template)
    if match is None:
        raise ValueError(f"{template!r} has no verb in braces")
    subject, rest = template[: match.start()].strip(), template[match.end() :]
    return tuple(_clause(subject, verb.strip(), rest) for verb in match[1].split("|"))


def _clause(subject: str, verb: str, rest: str) -> Clause:
    adverb = ""
    never = subject.endswith(" never") or subject == "never"
    if never:
        subject, adverb = subject.removesuffix("never").strip(), "never "
    if verb.startswith("hardly "):
        verb, adverb = verb.removeprefix("hardly "), "hardly "
    base, _, tail = verb.partition(" ")
    tail = f" {tail}{rest}" if tail else rest
    plural = is_plural(_noun(subject))
    past, present = (forms(base)[2 * tense + plural] for tense in (0, 1))
    infinitive = "be" if base == "be" else base
    negative = (
        bool(adverb)
        or re.match(r"(no|not|hardly|few|little|some)\b|.*\b(no|hardly|not|nothing)\b", subject) is not None
    )
    if base == "be":
        asked, denied = f"{past} {subject} {adverb}{tail}", f"{subject} ({past} not|{past}n't){tail}"
    else:
        asked = f"did {subject} {adverb}{infinitive}{tail}"
        denied = f"{subject} (did not|didn't|did not|failed to) {infinitive}{tail}"
    if negative or re.search(r"\b(nothing|no|next to|barely|hardly|little|not)\b", tail):
        denied = ""
    if negative:
        asked = ""
    being = None if subject in ("it", "there", "we", "you") or adverb else f"{subject} {participle(base)}{tail}"
    return Clause(f"{subject} {adverb}{past}{tail}", f"{subject} {adverb}{present}{tail}", asked, denied, being)


def _noun(subject: str) -> str:
    """The subject without alternatives: the first of them decides about its number."""
    return re.sub(r"\(([^|()]*)\|[^()]*\)", r"\1", subject)
