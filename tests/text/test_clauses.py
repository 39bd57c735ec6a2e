"""Sentences cut into clauses."""

import pytest

from trace_lit.text.clauses import clauses


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("strong winds throughout", ["strong winds throughout"]),
        ("strong winds and high pressure", ["strong winds", "and high pressure"]),
        ("rose, then fell", ["rose,", "then fell"]),
        ("rose and then fell", ["rose", "and then fell"]),
        ("cold, but not windy; no rain.", ["cold,", "but not windy;", "no rain."]),
        ("below 1,000 hPa", ["below 1,000 hPa"]),
        ("between 5 and 10 °C and windy", ["between 5 and 10 °C", "and windy"]),
        ("warm with gusts before noon", ["warm", "with gusts", "before noon"]),
        ("And so it rained", ["And so it rained"]),
        ("hot, …", ["hot, …"]),
        ("at 12:30 calm", ["at 12:30 calm"]),
        ("a dry day – no wind", ["a dry day", "– no wind"]),
        ("", [""]),
        ("…", ["…"]),
    ],
)
def test_clauses_end_where_words_join_them(sentence: str, expected: list[str]):
    assert [sentence[start:end].strip() for start, end in clauses(sentence)] == expected


def test_nothing_is_lost():
    text = " Wind up ,  and (pressure) down: a storm - or two - brewing,,and, "
    found = clauses(text)
    assert "".join(text[start:end] for start, end in found) == text
