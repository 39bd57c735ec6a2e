"""What is odd about a corpus is found, told in a sentence, and shown on a page that needs nothing else."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import CorpusInfo, Record, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.findings import examine
from data_modules.page import corpus_page, write_page
from trace_lit.channels import Channel
from trace_lit.cli import main

INFO = CorpusInfo("rivers", "rivers", "test", (Channel("level", "m"), Channel("flow", "m3/s")), "1h")
TIMECAP = Path(__file__).parents[2] / "../shared/data/timecap"


def records_of(count: int = 100) -> list[Record]:
    rng = np.random.default_rng(0)
    return [
        Record(
            f"r{n}", "s", datetime(2024, 1, 1) + timedelta(days=n), rng.normal(5, 1, (2, 24)), f"report {n}", ["", ""]
        )
        for n in range(count)
    ]


def found_in(records, tmp_path, warnings=True):
    corpus = write_corpus(records, INFO, tmp_path / "corpus")
    assert validate_corpus(corpus.path) == []
    return [(own.kind, own.sentence) for own in examine(corpus).findings if own.warning or not warnings]


def test_nothing_is_odd_about_a_good_corpus(tmp_path):
    assert found_in(records_of(), tmp_path, warnings=False) == []


def test_equal_windows_of_a_series_are_found(tmp_path):
    records = records_of()
    records[2].values[0, 1] = np.nan
    for number in (3, 5, 90):
        records[number].values = records[2].values.copy()
        records[number].text = "the same"
    records[2].series_id, records[2].split = "other", "test"
    for number, record in enumerate(records):
        record.split = record.split or ("train" if number < 70 else "test")
    found = found_in(records, tmp_path)
    assert found == [
        (
            "repeated windows",
            "3 rows of the series 's' have the same values, from 'r3' to 'r90' (2 train, 1 test; 2024-01-04 to 2024-03-31): "
            "no text can tell them apart",
        ),
        ("duplicate texts", "1 texts of training windows are also texts of validation or test windows"),
    ]
    records[5].text = "another"
    (kind, sentence), *_ = found_in(records, tmp_path)
    assert kind == "equal windows with different texts"
    assert "and 2 different texts" in sentence


def set_values(records, change):
    for number, record in enumerate(records):
        change(number, record.values[1])


def unit_changes(number, values):
    if number >= 70:
        values *= 1000


def starts_late(number, values):
    if number < 70:
        values[:] = np.nan


def stands_still(number, values):
    values[:] = 7.25


def mostly_missing(number, values):
    values[number % 24 :] = np.nan
    values[:10] = np.nan


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (unit_changes, "jump of scale", "channel 'flow [m3/s]' jumps from "),
        (
            starts_late,
            "begins after the training part",
            "channel 'flow [m3/s]' has no value in training; its first are in valid",
        ),
        (stands_still, "constant windows", "channel 'flow [m3/s]' has the value 7.25 throughout"),
        (mostly_missing, "gaps", "channel 'flow [m3/s]' is missing in "),
    ],
)
def test_what_is_odd_about_a_channel_is_found(change, kind, sentence, tmp_path):
    records = records_of()
    set_values(records, change)
    found = found_in(records, tmp_path)
    assert [own for own, _ in found if own == kind]
    assert any(told.startswith(sentence) for _, told in found)
    assert all("'level [m]'" not in told for _, told in found)


def test_what_is_good_to_know_is_no_warning(tmp_path):
    records = records_of()
    records[8].values[0] = 3.0
    records[10].text = records[9].text
    records[50].start -= timedelta(hours=5)
    records[50].values = records[50].values[:, :12]
    found = dict(found_in(records, tmp_path, warnings=False))
    assert found["constant windows"] == "channel 'level [m]' has one value each in 1 of 100 windows"
    assert found["duplicate texts"] == "2 of 100 texts are those of another window, too; 'report 9' of 2 windows"
    assert found["gaps"].startswith(
        "1 gaps between windows of a series; the longest has 0.7083 days, from 2024-02-20 07:00"
    )


def test_strict_makes_a_warning_an_exit_code(tmp_path, capsys):
    records = records_of()
    set_values(records, stands_still)
    folder = str(write_corpus(records, INFO, tmp_path / "corpus").path)
    assert main(["data", "validate", folder]) == 0
    assert main(["data", "validate", "--strict", folder]) == 1
    out = capsys.readouterr().out
    assert "warning: channel 'flow [m3/s]' has the value 7.25 throughout" in out
    assert f"{folder}: no problems, 1 warning" in out


def test_the_page_stands_by_itself_and_shows_texts_as_texts(tmp_path):
    records = records_of()
    set_values(records, unit_changes)
    records[0].text = "<script>alert(1)</script> & \x1b[31m"
    corpus = write_corpus(records, INFO, tmp_path / "corpus")
    write_page(corpus, tmp_path / "new" / "page.html", [0])
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert page == corpus_page(corpus, [0])
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; \\x1b[31m" in page
    assert "jumps from" in page
    assert "<script" not in page
    assert "http" not in page
    assert page.count("src='data:image/png;base64,") == 2


@pytest.mark.skipif(not TIMECAP.is_dir(), reason="the data of TimeCAP are not there")
def test_the_frozen_month_of_timecap_is_found(tmp_path, capsys):
    folder = str(tmp_path / "corpus")
    build = ["data", "build", "--domain", "weather", "--source", "timecap", "--root", str(TIMECAP), "--out", folder]
    assert main([*build, "cities=[ny]"]) == 0
    assert "warning: equal windows with different texts (1)" in capsys.readouterr().out
    assert main(["data", "validate", "--strict", folder]) == 1
    (warning,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert warning.startswith("warning: 32 rows of the series 'ny' have the same values, one value a channel, from ")
    assert "(32 test; 2017-10-28 to 2017-11-28), and 32 different texts" in warning
