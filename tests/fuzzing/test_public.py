"""Files that others publish, each in its form with some places changed: they are read, or refused in one sentence."""

from __future__ import annotations

import bz2
import gzip
import inspect
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_modules import Corpus
from data_modules.building import _options
from data_modules.config import DataConfig
from data_modules.sources import long_csv, timecap, timecap_finance, timemmd, trace, truce
from data_modules.sources.noaa import source
from tests.data_modules.test_trace import row
from tests.fuzzing.inputs import ODD, TREES, changed, encoded, fuzzed, mutated, tried

Read = Callable[..., Any]
DAY = np.timedelta64(1, "D")


@dataclass
class Public:
    """Files of one form, what reads their folder, and what each of its options may be."""

    files: dict[str, Any]
    read: Read
    options: dict[str, list[Any]] = field(default_factory=dict)


def built(read: Read, folder: Path, options: dict[str, Any]) -> None:
    """The corpus of a folder, by way of what checks the options of every source."""
    parameters = {
        name: own for name, own in inspect.signature(read).parameters.items() if name not in ("root", "domain")
    }
    info, records = read(folder, **_options(DataConfig(options=options), parameters))
    Corpus.from_records(records, info)


def fed(data: st.DataObject, folder: Path, publics: dict[str, Public]) -> None:
    """Write one of the `publics` with one of its files changed, and read it."""
    own = publics[data.draw(st.sampled_from(sorted(publics)))]
    name = data.draw(st.sampled_from(sorted(own.files)))
    for other, content in own.files.items():
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_bytes(encoded(other, content))
    content = mutated(data.draw, name, own.files[name])
    kind = data.draw(st.integers(0, 15))
    if kind == 0:
        (folder / name).unlink()
    elif kind < 4 and name.endswith((".csv", ".psv", "-2019")):
        pack, ending = ((gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz"))[kind - 1]
        (folder / name).unlink()
        (folder / (name + ending)).write_bytes(pack(content))
    else:
        (folder / name).write_bytes(content)
    options = {
        key: data.draw(st.sampled_from(values)) for key, values in own.options.items() if data.draw(st.booleans())
    }
    if options and data.draw(st.integers(0, 3)) == 0:
        key = data.draw(st.sampled_from(sorted(options)))
        options[key] = (
            data.draw(ODD | TREES) if data.draw(st.booleans()) else changed(data.draw, {"": options[key]}).get("")
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # options name files
        tried(lambda: built(own.read, folder, options))


# Weather stations and events

EVENTS = (
    b"EVENT_ID,BEGIN_YEARMONTH,BEGIN_DAY,BEGIN_TIME,EVENT_TYPE,CZ_TIMEZONE,BEGIN_LAT,BEGIN_LON,EVENT_NARRATIVE\n"
    b'1,201901,5,810,Hail,CST-6,34.5,-86.9,"Ice, as large as a coin."\n'
)
BULK = (
    b"EVENT_ID,STATE,CZ_TYPE,STATE_FIPS,CZ_FIPS,CZ_NAME,BEGIN_YEARMONTH,BEGIN_DAY,BEGIN_TIME,END_YEARMONTH,END_DAY,END_TIME,"
    b"EVENT_TYPE,CZ_TIMEZONE,SOURCE,BEGIN_LAT,BEGIN_LON,EPISODE_NARRATIVE,EVENT_NARRATIVE\n"
    b"1,NEW YORK,C,36,81,QUEENS,201901,8,1200,201901,8,1330,Hail,EST-5,Public,40.7,-73.8,A front.,Small ice.\n"
    b"2,NEW YORK,Z,36,72,NEW YORK,201901,7,700,201901,7,900,Flood,EST,ASOS,,,Rain.||More rain.,\n"
    b"3,NEW YORK,C,36,61,NEW YORK,201901,5,2400,201901,5,2400,Hail,EDT,Public,,,,Caf\xe9 hit.\n"
    b"4,TEXAS,C,48,201,HARRIS,201901,5,10,,,,Hail,CST-6,Public,,,Wind.,Far.\n"
)
WEB = (
    b"EVENT_ID,CZ_NAME_STR,BEGIN_DATE,BEGIN_TIME,EVENT_TYPE,CZ_TIMEZONE,STATE_ABBR,SOURCE,END_DATE,END_TIME,BEGIN_LAT,"
    b"BEGIN_LON,EVENT_NARRATIVE,EPISODE_NARRATIVE\n"
    b'5,NEW YORK CO.,01/07/2019,1200,Tornado,EST-5,NY,AWOS,ASOS,Mesonet,etc,01/07/2019,1300,40.7,-73.9,"A ""roof"".",Wind.\n'
    b"6,QUEENS (ZONE),01/08/2019,5,Hail,EST-5,NY,Public,01/08/2019,15,0,0,Ice.,Ice.\n"
)
FORM = "STATION,DATE,REPORT_TYPE,HourlyDryBulbTemperature,HourlyPrecipitation,HourlyRelativeHumidity,HourlyVisibility"
FORM += ",HourlySeaLevelPressure,HourlyWindSpeed,HourlyWindDirection,HourlySkyConditions,REM"
LCD = f"{FORM}\n".encode() + (
    b'72219013874,2020-01-01T00:52:00,FM-15,40,T,65,10,30.03,9,280,FEW:02 250,"METAR KATL 010552Z"\n'
)
HOURS = np.datetime64("2019-01-01T00:51") + np.arange(24 * 16) * np.timedelta64(1, "h")
PSV = (
    "STATION|Station_name|DATE|LATITUDE|LONGITUDE|temperature|temperature_Quality_Code|temperature_Source_Code"
    "|temperature_Report_Type|precipitation|precipitation_Quality_Code|relative_humidity|relative_humidity_Quality_Code"
    "|relative_humidity_Source_Code|visibility|wind_speed|wind_direction|wind_direction_Measurement_Code|sky_cover_1"
)
QUALITIES = ("1", "1,5", "5", "3", "A")
KINDS = ("FM15", "FM-16", "AUTO", "")
LISTS: dict[str, Any] = {
    "bulk.csv": BULK,
    "web.csv": WEB,
    "ghcnh-station-list.csv": (
        b"GHCN_ID,LATITUDE,LONGITUDE,NAME\nUSW00014732,40.779,-73.88,LA GUARDIA\nUSW00094728,0,0,PARK\n"
    ),
    "isd-history.csv": (
        b"USAF,WBAN,STATION NAME,LAT,LON\n725030,14732,LA GUARDIA,40.779,-73.88\n725030,99999,A BAY,+40.6,-073.8\n"
    ),
    "bp01.dbx": (
        b"NY|072|OKX|New York|NY072|New York|36061|E|se|40.77|-73.97\nNY|178|OKX|Queens|NY178|Queens|36081|E|se|40.7|-73.8\n"
    ),
}


def psv() -> bytes:
    """GHCN-hourly 1.1.0."""
    lines = [
        f"USW00014732|LA GUARDIA|{hour}:00|40.779|-73.88|{n % 9}.5|{QUALITIES[n % 5]}|{(343, 223, 345)[n % 3]}"
        f"|{KINDS[n % 4]}|{n % 2}.1|{('', 'A', '1-E')[n % 3]}|6{n % 9}|1|345|16|3|{('90', 'VRB', '360')[n % 3]}"
        f"|{('', 'V')[n % 2]}|BKN:07"
        for n, hour in enumerate(HOURS)
    ]
    return "\n".join([PSV, *lines]).encode()


def older() -> pa.Table:
    """GHCN-hourly 1.0.1 in Parquet."""
    times = pd.DatetimeIndex(HOURS)
    count = len(times)
    return pa.table(
        {
            "Station_ID": ["USW00014732"] * count,
            "Year": times.year.to_numpy(float),
            **{name: getattr(times, name.lower()).to_numpy() for name in ("Month", "Day", "Hour", "Minute")},
            "temperature": [1.5, None] * (count // 2),
            "wind_speed": ["3", "4"] * (count // 2),
            "wind_direction": ["VRB", "90"] * (count // 2),
            "sky_cover_summation_1": ["OVC:08", "4"] * (count // 2),
            "temperature_Quality_Code": ["1", "3"] * (count // 2),
        }
    )


def lcd(station: str, remark: str) -> bytes:
    """Local climatological data by the hour, of either form; with a remark at times."""
    place = ",40.7,-73.8,A BAY" if station.startswith("U") else ""
    head = FORM + ",LATITUDE,LONGITUDE,NAME" * bool(place)
    lines = [
        f"{station},{hour}:00,{('FM-15', 'FM-16', 'SOD  ')[n % 3]},{n % 40}{'s' * (n % 9 == 8)},"
        f"{('T', '0.1', '')[n % 3]},65,"
        f"{10 - n % 3}{'V' * (n % 5 == 4)},30.03,{n % 9},{('280', 'VRB', '000')[n % 3]},FEW:02 250,"
        + ('"' + f"MET METAR KLGA {remark}" + '"' if n % 2 else "")
        + place
        for n, hour in enumerate(HOURS)
    ]
    return "\n".join([head, *lines]).encode()


def isd_lite() -> bytes:
    lines = [
        f"{hour.year} {hour.month:02} {hour.day:02} {hour.hour:02} {n % 90} 48 10111 220 41 {n % 20} "
        f"{(-9999, -1, 6)[n % 3]} 6"
        for n, hour in enumerate(pd.DatetimeIndex(HOURS))
    ]
    return "\n".join([*lines, ""]).encode()


OF_STATIONS: dict[str, list[Any]] = {
    "stations": [["USW00014732"], None],
    "scales": [["week"], ["week", "month"], ["half-year"]],
    "types": [["Hail"], ["Flood", "Hail"]],
    "events": [True, False],
    "distance": [10, 300.0],
    "max_events": [1, 2],
    "without": [None, 0.5],
    "observed": [0.0, 0.3],
    "split": [{"train": 0.5, "test": 0.5}, {"test": "2019-01-09"}, {"train": 1}],
    "offsets": [{"USW00014732": -5, "72503014732": -5}],
}
WEATHER = {"scales": ["week"], "observed": 0.0, "split": {"train": 1.0}}


STATIONS = {
    name: Public({file: content, **LISTS}, partial(source.weather, **WEATHER), OF_STATIONS)
    for name, file, content in (
        ("psv", "GHCNh_X.psv", psv()),
        ("parquet", "GHCNh_X.parquet", older()),
        ("lcd of USAF and WBAN", "lcd.csv", lcd("72503014732", "010552Z")),
        ("lcd of GHCN", "lcd.csv", lcd("USW00014732", "312352Z AUTO")),
        ("isd", "725030-14732-2019", isd_lite()),
    )
}


@fuzzed
@given(st.data())
def test_weather_stations(tmp_path_factory: Any, data: st.DataObject) -> None:
    fed(data, tmp_path_factory.mktemp("stations"), STATIONS)


# Sets with texts

NUMBERS = {name: [1.0, None, 2.5, 3] for name in trace.UNITS}
PUBLIC = {
    "trace": Public(
        {"retrieval/train.parquet": pa.Table.from_pylist([row(n, ({"event_type": n}, None)[n % 2]) for n in range(12)])}
        | {
            "retrieval/test.parquet": pa.Table.from_pylist(
                [row(n, {"event_type": "6", "narrative": "Ice."}) for n in (1, 2)]
            )
        },
        trace.weather,
        {"text": ["event", "both", "description"]},
    ),
    "trace, raw": Public(
        {
            "mmts.jsonl": [{**NUMBERS, "mode": mode} for mode in ("week", "28 days", "6 months", "")]
            + [{"wind_u": [3]}],
            "event_report.jsonl": [
                {"event_type": kind, "narrative": "Ice.", "begin_date_time": when, "ts_dict_index": [n]}
                for n, (kind, when) in enumerate(
                    [("Hail", "2020-01-01"), ("3", "05-JAN-20 12:00:00"), (None, "1/2/2020"), (-100, "1/2/2020 10:00")]
                )
            ],
        },
        trace.weather,
        {"text": ["event"]},
    ),
    "truce": Public(
        {
            f"x{split}.json": {
                f"{split}{n}.png": {
                    "series": [1, 2.5, -3],
                    "annotations": (["up", ["down."]], [["up"]], [])[n],
                    "meta": {"label": {"labels": n}},
                }
                for n in range(3)
            }
            for split in ("train", "val", "test")
        },
        truce.series,
        {"part": ["x", "y"], "captions": ["each", "joined"]},
    ),
    "ett": Public(
        {
            "ett.csv": b"date,HUFL,OT,flow [m/s]\n"
            + b"\n".join(
                f"2016-07-0{1 + n // 24} {n % 24:02}:00:00,{n}.5,{('-1', 'NA')[n % 2]},1e3".encode() for n in range(96)
            )
        },
        partial(long_csv.series, domain="rivers"),
        {
            "file": ["ett.csv", "../ett.csv"],
            "time": ["DATE", "OT"],
            "length": [10, 1],
            "split": [
                {"train": 0.7, "validation": 0.1, "test": 0.2},
                {"train": "2 days", "validation": "1 days", "test": "1 days"},
            ],
            "channels": [{"OT": "oil [°C]", "flow [m/s]": "OT"}],
            "frequency": ["1h", "D", "ME"],
        },
    ),
}


@fuzzed
@given(st.data())
def test_public_files(tmp_path_factory: Any, data: st.DataObject) -> None:
    fed(data, tmp_path_factory.mktemp("public"), PUBLIC)


# TimeCAP and Time-MMD

RNG = np.random.default_rng(0)
MARKET = [str(day.date()) for day in pd.bdate_range("2019-01-02", periods=60)]
FIGURES = np.cumprod(1 + RNG.normal(0, 0.02, (60, 9)), axis=0)
FIRST = np.datetime64("2020-01-06")
ROWS = b"".join(
    f"{FIRST + 7 * n * DAY},{FIRST + (7 * n + 6) * DAY},{(n * 7) % 5},{n},X,{n * 10}\n".encode() for n in range(30)
)
FACT = '"Objective facts about it: * On January {}, 2020, flu rose",NA'
FACTS = b",start_date,end_date,fact,preds\n" + b"".join(
    f"{n},{FIRST + 7 * n * DAY},{FIRST + (7 * n + 6) * DAY},{FACT.format(n + 1)}\n".encode() for n in range(20)
)
ARCHIVES = {
    "timecap weather": Public(
        {
            "weather/dates.pkl": [str(np.datetime64("2012-10-02") + n // 24 * DAY) for n in range(240)],
            "weather/indices.pkl": list(range(0, 240, 24)),
            "weather/time_series_ny.pkl": RNG.uniform(0, 10, (240, 5)),
            "weather/rain_ny.pkl": [n % 3 == 0 for n in range(10)],
            "weather/gpt_summary/ny_24.txt": b"A dry day.\n",
            "events.csv": BULK.replace(b"201901,", b"201210,"),
        },
        timecap.weather,
        {"cities": [["ny"], "ny"], "events": ["events.csv", ["events.csv"]]},
    ),
    "timecap healthcare": Public(
        {
            "healthcare/time_series_mortality.pkl": np.array(
                [[f"{2016 + n // 52}-{17 + n // 52} {n % 52 + 1:02}", str(n), "10", "1000", "1.5"] for n in range(60)]
            ),
            "healthcare/indices_mortality.pkl": list(range(40)),
            "healthcare/labels_mortality.pkl": [np.bool_(n % 2) for n in range(40)],
            "healthcare/gpt_summary/3_mortality.txt": b"Few deaths.\n",
        },
        timecap.healthcare,
        {"tables": [["mortality"], ["positive"]]},
    ),
    "timecap finance": Public(
        {
            "finance/time_series.pkl": np.column_stack([np.array(MARKET, object), FIGURES.astype(object)]),
            "finance/indices.pkl": list(range(40)),
            "finance/labels_sp500.pkl": [n % 3 for n in range(40)],
            "finance/labels_nikkei.pkl": [f"m{n % 2}" for n in range(40)],
            "finance/gpt_summary/3.txt": b"Stocks rose.\n",
        },
        timecap_finance.finance,
        {"tables": [["sp500"], "nikkei"]},
    ),
    "timemmd": Public(
        {
            "numerical/Toy/Toy.csv": b"start_date,end_date,OT,Visits (thousand people),Note,ILITOTAL\n" + ROWS,
            "textual/Toy/Toy_report.csv": FACTS,
            "textual/Toy/Toy_search.csv": FACTS.replace(b"NA\n", b"It may fall\n"),
        },
        partial(timemmd.series, folder="Toy", domain="toy"),
        {"length": [8], "stride": [3], "max_documents": [1], "predictions": [True], "target_only": [True]},
    ),
}


@fuzzed
@given(st.data())
def test_archives(tmp_path_factory: Any, data: st.DataObject) -> None:
    fed(data, tmp_path_factory.mktemp("archives"), ARCHIVES)
