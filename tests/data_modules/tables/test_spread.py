"""Tables with a row a year and a column a month, and the like, become one channel in the order of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from data_modules.corpus import CorpusError
from data_modules.sources import tables
from data_modules.tables.counts import Counts
from data_modules.tables.guess import guess
from data_modules.tables.series import Reader, Series
from data_modules.tables.spec import spec_of
from tests.data_modules.tables.folders import corpus_of, write
from trace_lit.config import ConfigError

JAN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def series(folder: Path, content: str, across: str, **entry) -> list[Series]:
    """The series of one file."""
    zone = entry.pop("timezone", "UTC")
    part = {"files": "rain.csv", "across": across, "channels": {"rain": {"unit": "mm"}}, **entry}
    spec = spec_of({"series": [part], "timezone": zone})
    return Reader(spec, write(folder, {"rain.csv": content}), "mine", Counts()).read().series


def guessed(folder: Path, content: str) -> dict:
    text = guess(write(folder, {"rain.csv": content}))
    return yaml.safe_load(text) | {"text": text}


def lines(names: list[str], rows: list[list]) -> str:
    return "\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n"


@pytest.mark.parametrize(
    "months",
    [
        JAN,
        [str(n) for n in range(1, 13)],
        [f"{n:02d}" for n in range(1, 13)],
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        ["janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
        ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
        ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
    ],
)
def test_a_column_a_month(months: list[str], tmp_path: Path) -> None:
    rows = [
        [year, *[year * 100 + n if (year, n) != (2003, 5) else "" for n in range(1, 13)], 7]
        for year in range(2000, 2006)
    ]
    content = lines(["year", *months, "Annual"], rows)
    found = guessed(tmp_path, content)
    (entry,) = found["series"]
    assert (entry["across"], found["frequency"], list(entry["channels"])) == ("months", "MS", ["rain"])
    (one,) = series(tmp_path, content, "months")
    expected = [year * 100.0 + n for year in range(2000, 2006) for n in range(1, 13)]
    expected[3 * 12 + 4] = np.nan
    assert str(one.grid.start)[:10] == "2000-01-01"
    np.testing.assert_array_equal(one.values, [expected])


def test_several_series_and_the_end_of_the_last_year(tmp_path: Path) -> None:
    rows = [[name, year, *[year + n / 100 if year < 2003 or n < 4 else "-" for n in range(1, 13)]]
            for name in ("Aachen", "Bonn") for year in range(2000, 2004)]  # fmt: skip
    content = lines(["station", "year", *JAN], rows)
    assert guessed(tmp_path, content)["series"][0]["id"] == "station"
    one, other = series(tmp_path, content, "months", id="station")
    assert (one.id, other.id) == ("Aachen", "Bonn")
    assert one.values[0, -1] == 2003.03
    assert one.values.shape == other.values.shape == (1, 39)


def test_several_channels_below_each_other(tmp_path: Path) -> None:
    rows = [[year, name, *range(at, at + 12)] for year in range(2000, 2003) for name, at in (("low", 0), ("high", 50))]
    content = lines(["year", "element", *JAN], rows)
    (entry,) = guessed(tmp_path, content)["series"]
    assert (entry["channel"], entry["across"], "value" in entry) == ("element", "months", False)
    (one,) = series(tmp_path, content, "months", channel="element", channels={})
    assert one.values.tolist() == [[*range(12)] * 3, [*range(50, 62)] * 3]


HOURS_OF_DAY = [f"{n}:00" for n in range(24)]
TEN_DAYS = pd.date_range("2024-01-01", periods=10).strftime("%Y-%m-%d").tolist()
TWO_YEARS = pd.date_range("2022-01", periods=24, freq="MS")
PIVOTS = {  # names of columns, names of rows, what these are, when they begin, steps
    "days": ("Hour", TEN_DAYS, HOURS_OF_DAY, "time", "2024-01-01T00", "1h"),
    "years": ("Month", ["2019", "2020", "2021"], JAN, "time", "2019-01-01T00", "MS"),
    "months of products": ("Product", TWO_YEARS.strftime("%b-%y").tolist(), ["bolts", "nuts"], "id", "2022-01-01T00", "MS"),
    "days of stations": ("Station", TEN_DAYS, ["Aar", "Berg", "Cham"], "id", "2024-01-01T00", "1D"),
    "ISO months of meters": ("Meter ID", TWO_YEARS.strftime("%Y-%m").tolist(), ["7", "8"], "id", "2022-01-01T00", "MS"),
}  # fmt: skip


@pytest.mark.parametrize("workbook", [False, True])
@pytest.mark.parametrize("kind", PIVOTS)
def test_columns_that_are_called_by_times(kind: str, workbook: bool, tmp_path: Path) -> None:
    name, columns, rows, key, begin, frequency = PIVOTS[kind]
    values = np.arange(len(rows) * len(columns)).reshape(len(columns), len(rows))  # in the order of time, then of rows
    cells = [[row, *values[:, number], 7] for number, row in enumerate(rows)]
    files = {"rain.csv": lines([name, *columns, "Total"], cells)}
    if workbook:
        times = [pd.Timestamp(own).to_pydatetime() if "-" in own and own[:2] == "20" else own for own in columns]
        files = {"rain.xlsx": pd.DataFrame(cells, columns=[name, *times, "Total"])}
    spec = yaml.safe_load(guess(write(tmp_path, files)))
    del spec["domain"]
    (entry,) = spec["series"]
    assert (entry["across"], list(entry["channels"])) == ("times", ["rain"])
    assert {"id": entry.get("id"), "time": entry.get("time", [None])[0]}[key] == name
    found = Reader(spec_of(spec), tmp_path, "mine", Counts()).read()
    assert found.frequency == frequency
    assert {str(one.grid.start)[:13] for one in found.series} == {begin}
    read = [one.values[0].tolist() for one in found.series]
    assert read == ([values.ravel().tolist()] if key == "time" else values.T.tolist())
    spec["series"][0] = {"files": entry["files"]}
    with pytest.raises(CorpusError, match=r"columns are called by times \(.*; write across: times, and the column"):
        Reader(spec_of(spec), tmp_path, "mine", Counts()).read()


def test_rows_that_are_channels_below_columns_of_times(tmp_path: Path) -> None:
    months = TWO_YEARS.strftime("%b %Y").tolist()
    cells = [[name, unit, *range(n, n + 24)] for n, (name, unit) in enumerate([("load", "MW"), ("price", "€")])]
    cells[1][5] = ""
    content = lines(["Item", "Unit", *months], cells)
    (one,) = series(tmp_path, content, "times", channel="Item", channels={})
    assert one.values[0].tolist() == [*range(24)]
    assert [None if np.isnan(value) else value for value in one.values[1]][:5] == [1, 2, 3, None, 5]


def years(form: str) -> list[str]:
    return [form.format(begin=year - 1, end=year, short=f"{year % 100:02d}") for year in range(1999, 2005)]


@pytest.mark.parametrize(
    ("first", "name", "form", "called"),
    [
        (10, "water year", "{end}", "end"),
        (10, "Fiscal Year", "FY{end}", "end"),
        (4, "year", "{begin}", "begin"),
        (10, "WY", "{begin}-{end}", None),
        (7, "season", "{begin}/{short}", None),
        (4, "FY", "FY {begin}-{short}", None),
        (11, "Abflussjahr", "{end}", "end"),
    ],
)
def test_a_year_that_begins_in_another_month(first: int, name: str, form: str, called: str, tmp_path: Path) -> None:
    names = JAN[first - 1 :] + JAN[: first - 1]
    content = lines(
        [name, *names, "Total"], [[year, *range(12 * n, 12 * n + 12), 0] for n, year in enumerate(years(form))]
    )
    found = guessed(tmp_path, content)
    (entry,) = found["series"]
    assert (entry["across"], found["frequency"], list(entry["channels"])) == ("months", "MS", ["rain"])
    doubtful = "is the calendar year of its end, or begin" in found["text"]
    assert (entry["named_after"], doubtful) == (("end", True) if called else ("begin", False))
    (one,) = series(tmp_path, content, "months", **{"named_after": called} if called else {})
    assert str(one.grid.start)[:7] == f"1998-{first:02d}"
    assert one.values.tolist() == [[*range(72)]]
    if called:
        with pytest.raises(CorpusError, match="say which of them the row is called by: named_after: end"):
            series(tmp_path, content, "months")


def test_months_of_the_calendar_in_years_that_begin_in_another_month(tmp_path: Path) -> None:
    months = [np.datetime64("1999-10") + n for n in range(24)]
    cells = {(2000 + n // 12, month.astype(object).month): n for n, month in enumerate(months)}
    rows = [[year, *(cells[year, month] for month in range(1, 13))] for year in (2000, 2001)]
    content = lines(["water year", *JAN], rows)
    assert "# first_month: 10  # ? the month in which 'water year' begins" in guessed(tmp_path, content)["text"]
    (one,) = series(tmp_path, content, "months", first_month=10, named_after="end")
    assert str(one.grid.start)[:7] == "1999-10"
    assert one.values.tolist() == [[*range(24)]]
    with pytest.raises(ConfigError, match="are for tables with `across: months`"):
        series(tmp_path, content, "hours", first_month=10)


def test_months_of_the_calendar_are_not_two_years(tmp_path: Path) -> None:
    times = pd.date_range("2000-01", periods=30, freq="MS").strftime("%Y-%m")
    found = guessed(tmp_path, lines(["month", "rain"], [[time, n] for n, time in enumerate(times)]))
    assert (found["frequency"], "time_format" in found["series"][0]) == ("MS", False)


@pytest.mark.parametrize("names", [[f"Q{n}" for n in range(1, 5)], [f"{n}. Quartal" for n in range(1, 5)]])
def test_a_column_a_quarter(names: list[str], tmp_path: Path) -> None:
    content = lines(["Year", *names, "Total"], [[2000 + n, *range(4 * n, 4 * n + 4), 9] for n in range(8)])
    found = guessed(tmp_path, content)
    assert (found["series"][0]["across"], found["frequency"]) == ("quarters", "QS")
    (one,) = series(tmp_path, content, "quarters")
    assert (str(one.grid.start)[:10], one.values.tolist()) == ("2000-01-01", [[*range(32)]])


def test_a_column_a_week(tmp_path: Path) -> None:
    mondays = pd.date_range("2018-01-01", "2022-12-26", freq="7D")
    cells = {tuple(monday.isocalendar()[:2]): n for n, monday in enumerate(mondays)}
    rows = [[year, *(cells.get((year, week), "") for week in range(1, 54))] for year in range(2018, 2023)]
    content = lines(["Year", *(f"W{n}" for n in range(1, 54))], rows)
    found = guessed(tmp_path, content)
    assert (found["series"][0]["across"], found["frequency"]) == ("weeks", "7D")
    (one,) = series(tmp_path, content, "weeks")
    assert (str(one.grid.start)[:10], one.values.tolist()) == ("2018-01-01", [[*range(len(mondays))]])
    rows[0][53] = 7
    with pytest.raises(CorpusError, match="line 2, column 'W53': the year has no such week"):
        series(tmp_path, lines(["Year", *(f"W{n}" for n in range(1, 54))], rows), "weeks")


DAYS = pd.date_range("2024-03-01", "2024-04-05").strftime("%Y-%m-%d").tolist()
HOURS = {
    "clock": [f"{n:02d}:00" for n in range(24)],
    "seconds": [f"{n:02d}:00:00" for n in range(24)],
    "from 1": [str(n) for n in range(1, 25)],
    "from 0": [str(n) for n in range(24)],
    "halves": [f"{n % 12 or 12}:00 {'AM' if n < 12 else 'PM'}" for n in range(24)],
    "h": [f"h{n}" for n in range(1, 25)],
    "HE": [f"HE{n:02d}" for n in range(1, 25)],
    "intervals": [f"{n:02d}-{n + 1:02d}" for n in range(24)],
    "of clocks": [f"{n:02d}:00-{n + 1:02d}:00" for n in range(24)],
}


@pytest.mark.parametrize("kind", HOURS)
def test_a_column_an_hour(kind: str, tmp_path: Path) -> None:
    content = lines(["date", *HOURS[kind]], [[day, *range(24 * n, 24 * n + 24)] for n, day in enumerate(DAYS)])
    found = guessed(tmp_path, content)
    assert (found["series"][0]["across"], found["frequency"]) == ("hours", "1h")
    assert "stamps" not in found
    (one,) = series(tmp_path, content, "hours")
    assert str(one.grid.start)[:16] == "2024-03-01T00:00"
    assert one.values.tolist() == [[*range(24 * len(DAYS))]]


def test_quarters_of_hours_and_ends_of_hours(tmp_path: Path) -> None:
    quarters = [f"{n // 4:02d}:{n % 4 * 15:02d}" for n in range(96)]
    content = lines(["date", *quarters], [[day, *range(96 * n, 96 * n + 96)] for n, day in enumerate(DAYS)])
    assert guessed(tmp_path, content)["frequency"] == "15min"
    assert series(tmp_path, content, "hours")[0].values.tolist() == [[*range(96 * len(DAYS))]]
    ends = [f"{n:02d}:00" for n in range(1, 25)]
    content = lines(["date", *ends], [[day, *range(24 * n, 24 * n + 24)] for n, day in enumerate(DAYS)])
    assert "stamps: end  # ?" in guessed(tmp_path, content)["text"]
    (one,) = series(tmp_path, content, "hours")
    assert str(one.grid.start)[:16] == "2024-03-01T01:00"


def test_a_column_a_day_and_a_column_a_weekday(tmp_path: Path) -> None:
    months = [pd.Period("2023-11", "M") + n for n in range(5)]
    days = [[one.year, one.month, *[n + 1 if n < one.days_in_month else "" for n in range(31)]] for one in months]
    content = lines(["year", "month", *map(str, range(1, 32))], days)
    assert guessed(tmp_path, content)["series"][0]["across"] == "days"
    (one,) = series(tmp_path, content, "days")
    assert one.values[0].tolist() == [n + 1.0 for month in months for n in range(month.days_in_month)]
    days[3][2 + 29] = 30  # 30 February
    with pytest.raises(CorpusError, match="line 5, column '30': the month has no such day"):
        series(tmp_path, lines(["year", "month", *map(str, range(1, 32))], days), "days")

    mondays = pd.date_range("2024-01-01", periods=9, freq="7D").strftime("%Y-%m-%d")
    for names in (["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"], ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"]):
        content = lines(["week", *names], [[day, *range(7 * n, 7 * n + 7)] for n, day in enumerate(mondays)])
        assert guessed(tmp_path, content)["series"][0]["across"] == "weekdays"
        assert series(tmp_path, content, "weekdays")[0].values.tolist() == [[*range(63)]]
    with pytest.raises(CorpusError, match="the week of a row begins on another day"):
        series(tmp_path, content.replace(",mar,", ",MAR,").replace("lun,", "x,").replace("dim", "dim,lun"), "weekdays")


# Changes of clocks: 2024-03-31 has 23 hours in Berlin, 2024-10-27 has 25


def year(extra: list[str], spring: dict[int, str], autumn: list) -> str:
    """A year of hours 1 to 24 and of further columns, with the cells of the two days on which clocks are changed."""
    rows = []
    for day in pd.date_range("2024-03-01", "2024-11-05").strftime("%Y-%m-%d"):
        cells: list = [1.0] * 24 + [""] * len(extra)
        if day == "2024-03-31":
            for place, cell in spring.items():
                cells[place - 1] = cell
        elif day == "2024-10-27":
            cells = autumn
        rows.append([day, *cells])
    return lines(["date", *map(str, range(1, 25)), *extra], rows)


def night(one: Series) -> list[float]:
    """The hours from 00:00 to 05:00 of 27 October in UTC; midnight in Berlin was two hours earlier."""
    begin = int((np.datetime64("2024-10-26T22:00") - one.grid.start) // np.timedelta64(1, "h"))
    return one.values[0, begin : begin + 25].tolist()


AUTUMN = [*range(101, 126)]


def test_hours_that_count_on(tmp_path: Path) -> None:
    content = year(["25"], {24: ""}, AUTUMN)
    assert "across: elapsed hours" in guessed(tmp_path, content)["text"]
    (one,) = series(tmp_path, content, "elapsed hours", timezone="Europe/Berlin")
    assert night(one) == AUTUMN
    assert not np.isnan(one.values).any()
    with pytest.raises(CorpusError, match=r"line 32, column '24': the day has fewer hours"):
        series(tmp_path, year(["25"], {3: ""}, AUTUMN), "elapsed hours", timezone="Europe/Berlin")


def test_hours_of_the_clock_with_one_more_for_the_doubled_hour(tmp_path: Path) -> None:
    autumn = [*AUTUMN[:3], *AUTUMN[4:], AUTUMN[3]]  # the second of the hour from two to three stands last
    content = year(["25"], {3: ""}, autumn)
    assert "across: hours" in guessed(tmp_path, content)["text"]
    (one,) = series(tmp_path, content, "hours", timezone="Europe/Berlin")
    assert night(one) == AUTUMN
    assert not np.isnan(one.values).any()
    with pytest.raises(CorpusError, match=r"column '25': the day has 24 hours in its timezone; write the zone"):
        series(tmp_path, content, "hours")
    with pytest.raises(CorpusError, match=r"line 32, column '24': .* write across: elapsed hours"):
        series(tmp_path, year(["25"], {24: ""}, autumn), "hours", timezone="Europe/Berlin")
    with pytest.raises(CorpusError, match="2024-03-31 02:00:00 does not exist in the zone"):
        series(tmp_path, year(["25"], {}, autumn), "hours", timezone="Europe/Berlin")


@pytest.mark.parametrize("form", ["{:02d}:00", "{:02d}-{:02d}", "{}", "h{}"])
def test_a_column_for_each_of_the_doubled_hours(form: str, tmp_path: Path) -> None:
    names = [form.format(n, n + 1) for n in (0, 1, 2, 2, *range(3, 24))]
    if form == "h{}":
        names = ["h1", "h2", "h3a", "h3b", *(f"h{n}" for n in range(4, 25))]
    rows = [
        [day, *[1.0] * 3, "", *[1.0] * 21] for day in pd.date_range("2024-03-01", "2024-11-05").strftime("%Y-%m-%d")
    ]
    rows[30][3] = ""
    rows[240][1:] = AUTUMN
    content = lines(["date", *names], rows)
    assert guessed(tmp_path, content)["series"][0]["across"] == "hours"
    (one,) = series(tmp_path, content, "hours", timezone="Europe/Berlin")
    assert night(one) == AUTUMN
    assert not np.isnan(one.values).any()


# What is not said is asked


def test_a_spread_table_is_not_read_as_channels_without_a_word(tmp_path: Path) -> None:
    content = lines(["year", *JAN], [[year, *range(12)] for year in range(2000, 2030)])
    with pytest.raises(
        CorpusError, match="a row a year and a column a month, 'Jan' to 'Dec'; write across: months, or name"
    ):
        corpus_of(tmp_path, {"rain.csv": content}, windows={"length": 5})
    entry = {"files": "rain.csv", "channels": {name: name for name in JAN}}
    corpus, _ = corpus_of(tmp_path, {"rain.csv": content}, series=[entry], windows={"length": 5})
    assert len(corpus.info.channels) == 12


def test_numbers_as_names_are_in_doubt(tmp_path: Path) -> None:
    content = lines(["year", *map(str, range(1, 13))], [[year, *range(12)] for year in range(2000, 2030)])
    assert "across: months  # ? " in guessed(tmp_path, content)["text"]


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"across": "months"}, r"name it, like channels: \{rain: \{unit: mm\}\}"),
        ({"across": "months", "channel": "a", "value": "b"}, "leave out `value`"),
        ({"across": "years"}, "across"),
    ],
)
def test_a_wrong_entry_says_what_to_write(entry: dict, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        spec_of({"series": [{"files": "a.csv", **entry}]})


def test_columns_that_are_not_there_are_told(tmp_path: Path) -> None:
    content = lines(["year", *JAN[:11]], [[year, *range(11)] for year in range(2000, 2030)])
    with pytest.raises(CorpusError, match="has no column for each of the months"):
        series(tmp_path, content, "months")
    rows = [[f"2024-01-01 0{n}:00", *range(24)] for n in range(5, 8)]
    with pytest.raises(CorpusError, match="a row must be a day; row times like 2024-01-01T05:00 are none"):
        series(tmp_path, lines(["time", *map(str, range(24))], rows), "hours")


def test_what_is_guessed_is_built(tmp_path: Path) -> None:
    content = lines(["year", *JAN, "Total"], [[year, *range(12), 66] for year in range(2000, 2030)])
    found = guessed(tmp_path, content)
    del found["text"]
    info, records = tables.windows(tmp_path, found.pop("domain"), **found)
    assert [channel.name for channel in info.channels] == ["rain"]
    assert {tuple(record.values[0]) for record in records} == {tuple(range(12))}


def test_days_that_may_be_months_keep_their_hours(tmp_path: Path) -> None:
    days = [day.strftime("%m/%d/%Y") for day in pd.date_range("2024-05-01", periods=12)]
    content = lines(["date", *HOURS["clock"]], [[day, *range(24 * n, 24 * n + 24)] for n, day in enumerate(days)])
    found = guessed(tmp_path, content)
    assert (found["frequency"], found["series"][0]["time_format"]) == ("1h", "month-first")
    assert "time_format: month-first  # ?" in found["text"]
    (one,) = series(tmp_path, content, "hours", time_format="month-first")
    assert one.values.tolist() == [[*range(24 * 12)]]
