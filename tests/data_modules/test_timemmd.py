import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data_modules.corpus import Corpus, CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.sources import timemmd
from trace_lit.cli import main

REAL = Path(__file__).parents[3] / "shared" / "data" / "timemmd"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}")
MONDAY = date(2020, 1, 6)


def write_csv(path: Path, head: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def week(number: int) -> tuple[str, str]:
    first = MONDAY + timedelta(weeks=number)
    return str(first), str(first + timedelta(days=6))


def write_series(root: Path, ot: list, folder: str = "Toy", order=None) -> None:
    rows = [[*week(number), value, number] for number, value in enumerate(ot)]
    write_csv(
        root / "numerical" / folder / f"{folder}.csv",
        ["start_date", "end_date", "OT", "Visits (thousand people)"],
        rows if order is None else [rows[place] for place in order],
    )


def write_documents(root: Path, reports: list[list], searches: list[list] = [], folder: str = "Toy") -> None:  # noqa: B006
    for kind, rows in (("report", reports), ("search", searches)):
        write_csv(
            root / "textual" / folder / f"{folder}_{kind}.csv",
            ["", "start_date", "end_date", "fact", "preds"],
            [[number, *row] for number, row in enumerate(rows)],
        )


def read(root: Path, folder: str = "Toy", **options):
    info, records = timemmd.series(root, folder, "toy", **options)
    return info, list(records)


def test_the_series_is_cut_into_windows(tmp_path):
    write_series(tmp_path, list(range(20)))
    info, records = read(tmp_path, length=8, stride=3)
    assert [record.values[0, 0] for record in records] == [0, 3, 6, 9, 12]
    assert [record.id for record in records] == ["toy_0", "toy_3", "toy_6", "toy_9", "toy_12"]
    assert {record.values.shape for record in records} == {(2, 8)}
    assert records[1].start == datetime(2020, 1, 27)
    assert info.frequency == "7D"
    assert [(channel.name, channel.unit) for channel in info.channels] == [("OT", ""), ("Visits", "thousand people")]


def test_any_folder_is_built_from_the_command_line(tmp_path):
    write_series(tmp_path, list(range(30)))
    words = [
        "--domain",
        "timemmd",
        "--source",
        "timemmd",
        "--root",
        str(tmp_path),
        "folder=Toy",
        "domain=toy",
        "length=8",
    ]
    assert main(["data", "build", "--out", str(tmp_path / "corpus"), *words]) == 0
    assert Corpus.load(tmp_path / "corpus").info.domain == "toy"


@pytest.mark.parametrize("order", [range(19, -1, -1), np.random.default_rng(0).permutation(20)])
def test_rows_in_any_order_are_sorted(tmp_path, order):
    write_series(tmp_path, list(range(20)))
    sorted_rows = read(tmp_path, length=8)[1]
    write_series(tmp_path, list(range(20)), order=order)
    for one, other in zip(sorted_rows, read(tmp_path, length=8)[1], strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.start == other.start


def test_what_is_no_number_is_missing_and_a_gap_too(tmp_path):
    ot = [float(n) for n in range(20)]
    ot[2], ot[3], ot[4] = "X", "inf", ""
    write_series(tmp_path, ot, order=[n for n in range(20) if n != 6])
    values = read(tmp_path, length=12, stride=1)[1][0].values
    assert np.flatnonzero(np.isnan(values[0])).tolist() == [2, 3, 4, 6]
    assert np.flatnonzero(np.isnan(values[1])).tolist() == [6]
    assert values[0, 7] == 7


def test_windows_without_ot_in_half_of_their_steps_are_left_out(tmp_path):
    write_series(tmp_path, ["X"] * 10 + list(range(10, 20)))
    assert [record.id for record in read(tmp_path, length=8, stride=2)[1]] == ["toy_6", "toy_8", "toy_10", "toy_12"]


def test_only_numbers_that_vary_and_are_no_dates_or_ids_are_channels(tmp_path):
    head = ["MapDate", "YEAR", "WEEK", "site_id", "CBSA Code", "D1", "Half", "Few", "Constant", "Kind", "date", "OT"]
    rows = [
        [20200101 + n, 2020, n, n, n, n / 2, n if n % 2 else "X", n if n % 3 == 0 else "X", 5, "a", week(n)[0], n]
        for n in range(20)
    ]
    write_csv(tmp_path / "numerical" / "Toy" / "Toy.csv", head, rows)
    info, _ = read(tmp_path, length=8)
    assert [channel.name for channel in info.channels] == ["OT", "area in drought D1", "Half"]


def test_a_column_named_twice_is_read(tmp_path):  # as in Health_AFR
    rows = [[week(n)[0], week(n)[0], week(n)[1], n] for n in range(20)]
    write_csv(tmp_path / "numerical" / "Health_AFR" / "Health_AFR.csv", ["date", "date", "end_date", "OT"], rows)
    info, records = read(tmp_path, "Health_AFR", length=8)
    assert info.channels[0].name == "influenza ratio"
    assert len(records) == 4


def test_months_are_counted_on_the_calendar(tmp_path):
    months = [date(2019 + n // 12, n % 12 + 1, 1) for n in range(30)]
    rows = [[str(month), n] for n, month in enumerate(months)]
    del rows[5]
    write_csv(tmp_path / "numerical" / "Toy" / "Toy.csv", ["date", "OT"], rows)
    info, records = read(tmp_path, length=12, stride=12)
    assert info.frequency == "MS"
    assert [record.start for record in records] == [datetime(2019, 1, 1), datetime(2020, 1, 1)]
    assert np.flatnonzero(np.isnan(records[0].values[0])).tolist() == [5]


@pytest.mark.parametrize(("days", "frequency"), [(1, "1D"), (7, "7D"), (14, "14D")])
def test_the_frequency_is_found(tmp_path, days, frequency):
    rows = [[str(MONDAY + timedelta(days=days * n)), n] for n in range(30)]
    write_csv(tmp_path / "numerical" / "Toy" / "Toy.csv", ["date", "OT"], rows)
    assert read(tmp_path, length=12)[0].frequency == frequency


# --- texts ---------------------------------------------------------------------------------------------------------


def test_a_text_holds_what_ends_within_the_window_newest_first(tmp_path):
    write_series(tmp_path, list(range(12)))
    reports = [[*week(n), f"week {n}.", f"future of {n}"] for n in range(12)]
    write_documents(tmp_path, reports)
    records = read(tmp_path, length=4, stride=4, max_documents=3)[1]
    assert [record.text for record in records] == [
        "week 3. week 2. week 1.",
        "week 7. week 6. week 5.",
        "week 11. week 10. week 9.",
    ]


def test_a_document_must_end_by_the_last_day_and_overlap_the_window(tmp_path):
    write_series(tmp_path, list(range(4)))
    first, last = MONDAY, MONDAY + timedelta(weeks=4) - timedelta(days=1)

    def text(start: date, end: date) -> str:
        write_documents(tmp_path, [[str(start), str(end), "fact.", "NA"]])
        return read(tmp_path, length=4)[1][0].text

    day = timedelta(days=1)
    assert text(last, last) == "fact."
    assert text(last, last + day) == ""
    assert text(first - 9 * day, first) == "fact."
    assert text(first - 9 * day, first - day) == ""


def test_a_document_that_speaks_of_a_later_day_belongs_to_that_day(tmp_path):
    write_series(tmp_path, list(range(8)))
    fact = "The price was $3.258 on February 3, 2020."  # a Monday, the first day of week 4
    write_documents(tmp_path, [["2020-01-27", "2020-01-31", fact, "NA"]])
    assert [record.text for record in read(tmp_path, length=4, stride=4)[1]] == ["", fact]
    write_documents(tmp_path, [["2020-01-27", "2020-01-31", "Prices of May 2024.", "NA"]])
    assert [record.text for record in read(tmp_path, length=4, stride=4)[1]] == ["", ""]
    write_documents(tmp_path, [["2020-01-27", "2020-01-31", "Up since February 30, 2020 and May 2011.", "NA"]])
    assert read(tmp_path, length=4, stride=4)[1][0].text != ""


@pytest.mark.parametrize(
    "fact", ["", "NA", "NA (nothing relevant)", "NA; NA", "N/A", "NA\n\nPlease provide an excerpt"]
)
def test_facts_that_are_not_available_are_dropped(tmp_path, fact):
    write_series(tmp_path, list(range(4)))
    write_documents(tmp_path, [[*week(3), fact, "NA"]], [[*week(2), "a fact.", "NA"]])
    assert read(tmp_path, length=4)[1][0].text == "a fact."


@pytest.mark.parametrize("fact", ["Natural gas rose.", "Nationwide during week 1.", "NASA said so.", "NATO met."])
def test_words_that_begin_alike_are_kept(tmp_path, fact):
    write_series(tmp_path, list(range(4)))
    write_documents(tmp_path, [[*week(3), fact, "NA"]])
    assert read(tmp_path, length=4)[1][0].text == fact


def test_facts_are_made_one_line(tmp_path):
    write_series(tmp_path, list(range(4)))
    fact = "Objective facts about the situation:\n* Prices\trose.  \n* Demand fell**"
    write_documents(tmp_path, [[*week(3), fact, "NA"]])
    assert read(tmp_path, length=4)[1][0].text == "Prices rose. Demand fell."


def test_predictions_are_an_option(tmp_path):
    write_series(tmp_path, list(range(4)))
    write_documents(tmp_path, [[*week(3), "Up.", "Down soon."]], [[*week(2), "Still.", "NA"]])
    assert read(tmp_path, length=4)[1][0].text == "Up. Still."
    assert read(tmp_path, length=4, predictions=True)[1][0].text == "Up. Down soon. Still."


def test_a_domain_without_texts_has_none(tmp_path):
    write_series(tmp_path, list(range(20)))
    info, records = read(tmp_path, length=8)
    assert all(record.text == "" for record in records)
    assert validate_corpus(write_corpus(records, info, tmp_path / "corpus").path) == []


def test_the_label_tells_how_ot_moves_at_the_end(tmp_path):
    courses = {"OT rises": [0] * 6 + [5, 6], "OT falls": [9] * 6 + [5, 4], "OT holds": [0, 9, 1, 8, 5, 6, 5, 6]}
    for label, course in courses.items():
        write_series(tmp_path, course)
        assert [record.label for record in read(tmp_path, length=8)[1]] == [label]
    write_series(tmp_path, [1, 2, 3, 4, 5, 6, "X", "X"])
    assert read(tmp_path, length=8)[1][0].label is None


# --- bad input ------------------------------------------------------------------------------------------------------


def bad(root: Path, match: str, **options):
    with pytest.raises(CorpusError, match=match):
        read(root, length=8, **options)


def test_an_absent_domain_says_which_there_are(tmp_path):
    write_series(tmp_path, list(range(20)))
    with pytest.raises(
        CorpusError, match=r"no Time-MMD domain 'Climate' in .*: looked for .*Climate.csv; there are: Toy"
    ):
        read(tmp_path, "Climate")


def test_bad_files_are_named(tmp_path):
    path = tmp_path / "numerical" / "Toy" / "Toy.csv"
    write_series(tmp_path, list(range(5)))
    bad(tmp_path, "the series has 5 steps, a window 8")
    write_csv(path, ["date", "price"], [["2020-01-06", 1]])
    bad(tmp_path, "has no column OT; it has date, price")
    write_csv(path, ["day", "OT"], [["2020-01-06", 1]])
    bad(tmp_path, "has neither a column start_date nor date; it has day, OT")
    write_csv(path, ["date", "OT"], [["06.01.2020", 1], ["x", 2]])
    bad(tmp_path, "a date is not like 2024-01-31")
    write_csv(path, ["date", "OT"], [["2020-01-06", 1]])
    bad(tmp_path, "has one row")
    write_csv(path, ["date", "OT"], [["2020-01-06", "x"], ["2020-01-13", "x"]])
    bad(tmp_path, "the column OT holds no numbers")
    write_csv(path, ["date", "OT"], [["2020-01-06", 1], ["2020-01-13"]])
    bad(tmp_path, "line 3: it has 1 columns, the first line names 2")
    path.write_text("")
    bad(tmp_path, "is empty")
    path.write_bytes(b"\xff\xfe\x00")
    bad(tmp_path, "is no CSV file")


def test_a_text_file_of_another_form_is_named(tmp_path):
    write_series(tmp_path, list(range(20)))
    write_csv(tmp_path / "textual" / "Toy" / "Toy_report.csv", ["start_date", "end_date", "text"], [])
    bad(tmp_path, "Toy_report.csv has no column fact; it has start_date, end_date, text")


@pytest.mark.parametrize("option", ["stride", "max_documents"])
def test_numbers_must_be_positive(tmp_path, option):
    write_series(tmp_path, list(range(20)))
    bad(tmp_path, f"{option} is 0; it must be a whole number of at least 1", **{option: 0})


# --- real data ------------------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize(
    ("folder", "channels", "counts"), [("Energy", 9, [275, 35, 80]), ("Health_US", 10, [234, 30, 68])]
)
def test_real_domains(tmp_path, folder, channels, counts):
    info, records = timemmd.series(REAL, folder, "toy")
    records = list(records)
    corpus = write_corpus(records, info, tmp_path / "corpus")
    assert len(info.channels) == channels
    assert [len(corpus.select(split)) for split in ("train", "validation", "test")] == counts
    assert all(corpus.texts)
    assert len(set(corpus.texts)) == len(corpus)
    assert np.bincount(corpus.labels).min() > len(corpus) / 5
    assert validate_corpus(corpus.path) == []


@real
def test_real_gasoline_reports_do_not_tell_the_price_after_the_window():
    records = list(timemmd.series(REAL, "Energy", "energy", max_documents=8)[1])
    named = [(record, day) for record in records for day in timemmd._spelled_days(record.text)]
    assert len(named) > 500
    assert all(day < np.datetime64(record.start, "D") + 7 * 24 for record, day in named)
