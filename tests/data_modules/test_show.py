import dataclasses
import io
import re
from datetime import datetime, timedelta

import numpy as np
import pytest
from rich.console import Console

from data_modules.corpus import CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from data_modules.show import example_rows, show_corpus
from trace_lit.channels import Channel

INFO = CorpusInfo(
    domain="weather",
    name="toy",
    source="test",
    channels=(Channel("temperature", "K"), Channel("humidity [x]", "%")),
    frequency="1h",
    label_names=("dry", "wet"),
    description="A toy [bold]corpus[/bold].",
)


def make_records() -> list[Record]:
    records = []
    for n in range(20):
        values = np.stack([np.linspace(270, 290, 24), np.full(24, 50.0)])
        values[1, : 6 if n < 10 else 0] = np.nan
        start = datetime(2020, 1, 1) + timedelta(days=n)
        records.append(
            Record(f"r{n}", "s", start, values, f"three words [{n}]" if n else "", None, ("dry", "wet")[n % 2])
        )
    return records


@pytest.fixture
def shown(tmp_path):
    def show(info=INFO, rows=(), width=120) -> str:
        corpus = write_corpus(make_records(), info, tmp_path / "corpus")
        console = Console(width=width, record=True, file=io.StringIO())
        show_corpus(corpus, console, rows)
        return console.export_text()

    return show


def row(text: str, name: str) -> list[str]:
    """The cells of the table row that begins with `name`."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return re.split(r"\s{2,}", line.strip())


def test_counts_ranges_and_lengths_are_right(shown):
    text = shown()
    assert row(text, "train") == ["train", "14", "13", "14", "2020-01-01", "2020-01-14"]
    assert row(text, "test") == ["test", "4", "4", "4", "2020-01-17", "2020-01-20"]
    assert row(text, "temperature") == ["temperature", "K", "270", "280", "290", "none", "none", "20"]
    assert row(text, "humidity [x]") == ["humidity [x]", "%", "50", "50", "50", "12.5%", "20", "none"]
    assert row(text, "dry") == ["dry", "7", "1", "2"]
    assert row(text, "of the sample") == ["of the sample", "19 of 20", "19", "3", "3", "3"]
    assert "20 rows of 1 series, 24 steps of 1h, source test" in text


def test_texts_are_shown_as_they_are(shown):
    text = shown(rows=[3, 0])
    assert "A toy [bold]corpus[/bold]." in text
    assert "three words [3]" in text
    assert "label: wet" in text
    assert "humidity [x]: " in text
    assert "no text" in text


def test_generated_data_are_named_so(shown):
    assert "Generated: simulated data" in shown(dataclasses.replace(INFO, generated=True))
    assert "Generated" not in shown()


def test_a_corpus_without_labels_shows_no_labels(tmp_path):
    records = make_records()
    for record in records:
        record.label = None
    corpus = write_corpus(records, dataclasses.replace(INFO, label_names=()), tmp_path / "corpus")
    console = Console(width=120, record=True, file=io.StringIO())
    show_corpus(corpus, console, example_rows(corpus))
    text = console.export_text()
    assert not re.search("Labels", text)
    assert "label: none" in text


def test_example_rows_are_spread(tmp_path):
    corpus = write_corpus(make_records(), INFO, tmp_path / "corpus")
    assert example_rows(corpus, 3) == [0, 9, 19]
    assert example_rows(corpus, 50) == list(range(20))
