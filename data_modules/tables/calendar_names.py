"""Names of months and of days of the week, as several languages write and shorten them."""

from __future__ import annotations

_MONTHS = {
    **{name: name for name in ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]},
    **{"mär": "mar", "mrz": "mar", "mai": "may", "okt": "oct", "dez": "dec", "fév": "feb", "fev": "feb", "avr": "apr"},
    **{"ene": "jan", "gen": "jan", "mrt": "mar", "abr": "apr", "mag": "may", "mei": "may", "maj": "may", "giu": "jun"},
    **{"lug": "jul", "ago": "aug", "set": "sep", "ott": "oct", "out": "oct", "dic": "dec"},
    **{"mai ": "may", "jui": "jul", "aoû": "aug", "déc": "dec", "juin": "jun", "juil": "jul"},
}
_WEEKDAYS = (  # as several languages write them, or begin with
    ("monday", "montag", "lundi", "lunes", "lunedì", "lunedi", "maandag", "segunda"),
    ("tuesday", "dienstag", "mardi", "martes", "martedì", "martedi", "dinsdag", "terça"),
    ("wednesday", "mittwoch", "mercredi", "miércoles", "miercoles", "mercoledì", "woensdag", "quarta"),
    ("thursday", "donnerstag", "jeudi", "jueves", "giovedì", "donderdag", "quinta"),
    ("friday", "freitag", "vendredi", "viernes", "venerdì", "vrijdag", "sexta"),
    ("saturday", "samstag", "sonnabend", "samedi", "sábado", "sabado", "sabato", "zaterdag"),
    ("sunday", "sonntag", "dimanche", "domingo", "domenica", "zondag"),
)


def month_of(name: str) -> int | None:
    """The number of a month by its name; None for others."""
    folded = name.strip().casefold()
    month = _MONTHS.get(folded[:4].rstrip(".")) or _MONTHS.get(folded[:3])
    return None if month is None else list(dict.fromkeys(_MONTHS.values())).index(month) + 1


def weekdays_of(name: str) -> set[int]:
    """The days of the week, from Monday as 0, whose name in some language is `name` or begins with it."""
    folded = name.strip().casefold().rstrip(".")
    if len(folded) < 2:
        return set()
    return {number for number, names in enumerate(_WEEKDAYS) if any(own.startswith(folded) for own in names)}
