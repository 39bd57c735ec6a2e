from __future__ import annotations

import io

import pytest

from trace_lit.escapes import markdown, one_line, say, shown

STEERING = "\x1b]0;owned\x07 \x9b31m \u202e \x00 \x7f \r \ud800"


def test_nothing_steers_a_terminal() -> None:
    for text in (shown(STEERING), one_line(STEERING), markdown(STEERING)):
        assert not [letter for letter in text if not letter.isprintable()]
    assert shown("a\nb\tc 日本語 👩\u200d🔬") == "a\nb\tc 日本語 👩\u200d🔬"


def test_a_line_stays_one() -> None:
    assert one_line("a\nb\tc") == r"a\nb\tc"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("text_to_series/pair/MRR", "text_to_series/pair/MRR"),
        ("0.12 [0.10, 0.14]", "0.12 [0.10, 0.14]"),
        ("a|b", r"a\|b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[click](http://x)", r"[click\](http://x)"),
        ("**bold** `code` _word_", r"\*\*bold\*\* \`code\` \_word\_"),
        ("a\n| b", r"a\n\| b"),
    ],
)
def test_markup_is_neutral_in_markdown(text: str, written: str) -> None:
    assert markdown(text) == written


def test_what_the_output_cannot_encode_is_written_out() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("Zürich\x1b", file=out)
    out.seek(0)
    assert out.read() == "Z\\xfcrich\\x1b\n"
