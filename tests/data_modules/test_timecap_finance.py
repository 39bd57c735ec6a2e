"""TimeCAP's finance tables in files of their form, and the positive table."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.corpus import CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import timecap, timecap_finance

MARKET_DAYS = pd.bdate_range("2019-01-02", periods=120)


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))


def series() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.cumprod(1 + rng.normal(0, 0.02, (len(MARKET_DAYS), 9)), axis=0) * 100


def moves(target: np.ndarray) -> list[int]:
    """0, 1, 2 for a rise of more than 1 %, less than it, a fall."""
    change = target[20:] / target[19:-1] - 1
    return [0 if own > 0.01 else 2 if own < -0.01 else 1 for own in change]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "finance"
    dump(
        folder / "time_series.pkl",
        np.column_stack([MARKET_DAYS.to_pydatetime().astype(object), series().astype(object)]),
    )
    dump(folder / "indices.pkl", list(range(100)))
    dump(folder / "labels_sp500.pkl", moves(series()[:, 0]))
    dump(folder / "labels_nikkei.pkl", [f"m{own}" for own in moves(series()[:, 2])])
    (folder / "gpt_summary").mkdir()
    (folder / "gpt_summary" / "3.txt").write_text("Stocks rose.\n")
    (folder / "gpt_summary" / "nikkei_4.txt").write_text("Tokyo fell.")
    return tmp_path


def test_windows_have_twenty_market_days_on_the_calendar(root, tmp_path):
    info, records = timecap_finance.finance(root)
    found = {record.id: record for record in records}
    window = found["sp500_3"]
    assert window.start == datetime(2019, 1, 7)
    assert window.values.shape == (9, 26)  # from Monday, 7 January, to Friday, 1 February
    assert np.isnan(window.values[:, 5:7]).all()  # a weekend
    known = window.values[:, ~np.isnan(window.values[0])]
    np.testing.assert_allclose(known, series()[3:23].T, rtol=1e-6)
    assert [channel.name for channel in info.channels][:3] == ["S&P 500", "VIX", "Nikkei 225"]
    assert (window.text, found["nikkei_4"].text, found["sp500_5"].text) == ("Stocks rose.", "Tokyo fell.", "")
    assert validate_corpus(write_corpus(found.values(), info, tmp_path / "corpus").path) == []


def test_labels_are_named_by_the_moves_that_follow(root):
    for record in timecap_finance.finance(root)[1]:
        place, column = int(record.id.split("_")[1]), 0 if record.series_id == "sp500" else 2
        change = series()[place + 20, column] / series()[place + 19, column] - 1
        move = "rises" if change > 0.01 else "falls" if change < -0.01 else "holds"
        assert record.label == f"{'S&P 500' if column == 0 else 'Nikkei 225'} {move}"


@pytest.mark.parametrize(
    "days",
    [
        [str(day.date()) for day in MARKET_DAYS],
        [str(day) for day in MARKET_DAYS],
        list(MARKET_DAYS),
        [day.to_datetime64() for day in MARKET_DAYS],
    ],
    ids=["dates", "times", "pandas", "numpy"],
)
def test_days_may_be_texts_or_times(root, days):
    raw = np.empty((len(days), 10), dtype=object)
    raw[:, 0], raw[:, 1:] = pd.Series(days, dtype=object), series()
    dump(root / "finance" / "time_series.pkl", raw)
    assert next(timecap_finance.finance(root, ["nikkei"])[1]).start == datetime(2019, 1, 2)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("time_series.pkl", series(), r"time_series.pkl: the table has the shape \(120, 9\); expected \(rows, 10\)"),
        ("time_series.pkl", np.column_stack([["soon"] * 120, series()]), "row 0 has the day 'soon'"),
        (
            "time_series.pkl",
            np.column_stack([["2019-01-02"] * 120, series()]),
            "of row 1 does not come after 2019-01-02",
        ),
        ("labels_sp500.pkl", [1, 2], "labels_sp500.pkl: 2 labels for 100 windows"),
        ("labels_sp500.pkl", list(range(100)), "it has 100 different labels"),
        ("indices.pkl", list(range(50, 150)), "the window at 101 needs 20 days, the series has 120"),
    ],
)
def test_other_forms_are_refused(root, name, content, match):
    dump(root / "finance" / name, content)
    with pytest.raises(CorpusError, match=match):
        list(timecap_finance.finance(root, ["sp500"])[1])


def test_absent_tables_are_named(root):
    with pytest.raises(CorpusError, match=r"no table 'dax' in .*; there are: sp500, nikkei"):
        timecap_finance.finance(root, ["dax"])
    with pytest.raises(CorpusError, match="no TimeCAP finance data in"):
        timecap_finance.finance(root / "nowhere")


def test_the_positive_table(tmp_path):
    folder = tmp_path / "healthcare"
    rows = [
        [f"{2015 + n // 52}-{16 + n // 52} {n % 52 + 1:02}", "200", f"{n}", "5", "7.5", "5.0", "2.5"] for n in range(60)
    ]
    dump(folder / "time_series_positive.pkl", np.array(rows))
    dump(folder / "indices_positive.pkl", list(range(40)))
    dump(folder / "labels_positive.pkl", [np.bool_(n % 2) for n in range(40)])
    (folder / "gpt_summary").mkdir()
    (folder / "gpt_summary" / "7_positive.txt").write_text("Influenza A dominates.")
    info, records = timecap.healthcare(tmp_path, tables=["positive"])
    found = list(records)
    assert found[7].values[:, 0].tolist() == [200, 7, 5, 7.5, 5.0, 2.5]
    assert (found[7].text, found[7].label) == (
        "Influenza A dominates.",
        "positive ratio above average in the next week",
    )
    assert [channel.name for channel in info.channels][1:3] == ["influenza A positives", "influenza B positives"]
