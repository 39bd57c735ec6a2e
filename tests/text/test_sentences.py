"""Sentences and their subsets."""

import random

import pytest

from trace_lit.text import sentences

REPORT = "It was mild. Wind rose to 3.5 m/s. Rain fell at 5 p.m. Pressure fell."


@pytest.mark.parametrize(
    "expected",
    [
        ["It was mild.", "Wind rose to 3.5 m/s.", "Then it fell to 0.2 m/s!", "Why?"],
        ["Dr. Smith of the U.S. Weather Service met J. R. Jones.", "They spoke."],
        ["It fell by approx. 5 hPa, e.g. on Jan. 3.", "No. 7 was first."],
        ["Was that all?", "The answer was no.", "It went on..."],
        ["It rose to 5 ft. above normal.", '"Is it cold?" she asked.'],
        ["Rain fell at 5 p.m.", "Wind rose."],
        ['He said "It is cold."', "(It was.)", "Then he left."],
        ["Deaths rose in 2019.", "12 weeks later they fell."],
        ["1. Prices rose.", "2. Prices fell."],
        ["气温下降。", "风速为3.5 m/s。", "明天会下雨吗？", "会！"],
        ["तापमान बढ़ा।", "हवा 3.5 m/s थी।"],
        ["هل سيهطل المطر؟", "درجة الحرارة 20.5 مئوية."],
        ["no stop at all"],
        ["See www.example.com for v2.5.1 of it."],
    ],
)
@pytest.mark.parametrize("space", [" ", "\n", "\n\n"])
def test_sentences_end_where_they_end(expected, space):
    assert sentences(space.join(expected)) == expected


def test_scripts_without_spaces_are_cut_at_their_stops():
    assert sentences("雨が降る。風は弱い。") == ["雨が降る。", "風は弱い。"]


def test_paragraphs_items_of_lists_and_joined_texts_are_cut():
    assert sentences("Summary\n\nRain") == ["Summary", "Rain"]
    assert sentences("Two things:\n- rain\n- wind") == ["Two things:", "- rain", "- wind"]
    assert sentences("Prices rose.;Prices may fall.") == ["Prices rose.;", "Prices may fall."]


def test_blank_texts_have_no_sentences():
    assert sentences("") == sentences(" \n ") == []


def test_nothing_but_white_space_is_lost():
    drawn = random.Random(0)
    for _ in range(300):
        text = "".join(drawn.choices(' \n.!?;。"()aB3शu-।…', k=60))
        found = sentences(text)
        assert "".join("".join(found).split()) == "".join(text.split())
        assert all(sentence == sentence.strip() != "" for sentence in found)
