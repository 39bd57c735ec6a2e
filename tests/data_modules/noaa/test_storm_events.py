"""Storm Events of both forms: times, places, texts, and rows that are refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from data_modules.corpus import CorpusError
from data_modules.sources.noaa import storm_events
from data_modules.sources.noaa.places import Zones, distances, read_stations
from data_modules.sources.noaa.reports import Station
from tests.data_modules.noaa.made import SHARED, event, write_events

real = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data in {SHARED}")
WEB = (
    *("EVENT_ID", "CZ_NAME_STR", "BEGIN_DATE", "BEGIN_TIME", "EVENT_TYPE", "STATE_ABBR", "CZ_TIMEZONE", "CZ_TYPE"),
    *("CZ_FIPS", "SOURCE", "END_DATE", "END_TIME", "BEGIN_LAT", "BEGIN_LON", "EVENT_NARRATIVE", "EPISODE_NARRATIVE"),
)


def web_row(number: object = 7, **cells: str) -> list[str]:
    row = {"EVENT_ID": str(number), "CZ_NAME_STR": "QUEENS CO.", "BEGIN_DATE": "03/10/2019", "BEGIN_TIME": "810"}
    row |= {"EVENT_TYPE": "Flash Flood", "STATE_ABBR": "NY", "CZ_TIMEZONE": "EST-5", "CZ_TYPE": "C", "CZ_FIPS": "81"}
    row |= {"END_DATE": "03/10/2019", "END_TIME": "1000", "BEGIN_LAT": " ", "BEGIN_LON": " "}
    return [(row | cells).get(name, "") for name in WEB]


def web_file(tmp_path: Path, *rows: list[str]) -> Path:
    path = tmp_path / "storm_data_search_results.csv"
    path.write_text("".join(",".join(row) + "\n" for row in (WEB, *rows)))
    return path


def bulk(tmp_path: Path, *rows: dict[str, str]) -> storm_events.Events:
    return storm_events.read(write_events(tmp_path / "StormEvents_details.csv", rows))


@pytest.mark.parametrize(
    ("zone", "time", "expected"),
    [
        ("EST-5", "810", datetime(2019, 7, 10, 13, 10)),  # standard time in summer, too
        ("CST-6", "0", datetime(2019, 7, 10, 6)),
        ("HST-10", "2359", datetime(2019, 7, 11, 9, 59)),
        ("SST-11", "5", datetime(2019, 7, 10, 11, 5)),
        ("CSt", "1200", datetime(2019, 7, 10, 18)),  # before 2007 without a number
        ("GST10", "1200", datetime(2019, 7, 10, 2)),
        ("AKST-9", "2400", datetime(2019, 7, 11, 9)),
    ],
)
def test_times_are_utc(tmp_path, zone, time, expected):
    (found,) = bulk(tmp_path, event(1, "20190710", time, CZ_TIMEZONE=zone)).found
    assert found.start == found.end == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"EVENT_ID": "x1"}, "EVENT_ID is not all digits"),
        ({"CZ_TIMEZONE": "MARS"}, "CZ_TIMEZONE is 'MARS'"),
        ({"CZ_TIMEZONE": ""}, "CZ_TIMEZONE is ''"),
        ({"BEGIN_TIME": "2575"}, "BEGIN_TIME is no time of the day"),
        ({"BEGIN_TIME": "noon"}, "BEGIN_TIME is no time of the day"),
        ({"END_DAY": "31", "END_YEARMONTH": "201906"}, "the day of END is no date"),
        ({"END_YEARMONTH": "202907"}, "the event ends more than 366 days after it begins"),
        ({"EVENT_TYPE": ""}, "EVENT_TYPE is empty"),
    ],
)
def test_rows_that_cannot_be_used_are_counted(tmp_path, change, reason):
    found = bulk(tmp_path, event(1, "20190710", "800"), event(2, "20190710", "800") | change)
    assert [own.id for own in found.found] == ["1"]
    assert found.refused == {reason: 1}


def test_where_no_row_can_be_used_the_first_one_says_why(tmp_path):
    with pytest.raises(
        CorpusError, match=r"no row of .*details.csv can be used; .*details.csv, line 2: CZ_TIMEZONE is 'X'"
    ):
        bulk(tmp_path, event(1, "20190710", "800", CZ_TIMEZONE="X"))


def test_an_event_that_is_there_twice_counts_once(tmp_path):
    found = bulk(tmp_path, event(1, "20190710", "800"), event(1, "20190710", "800"))
    assert (len(found.found), found.refused) == (1, {"EVENT_ID is there twice": 1})


def test_the_text_is_about_the_place_or_else_about_the_outbreak(tmp_path):
    own, outbreak, none = bulk(
        tmp_path,
        event(1, "20190710", "800", EVENT_NARRATIVE="Two\r\n roads||closed.", EPISODE_NARRATIVE="A front."),
        event(2, "20190710", "800", EVENT_NARRATIVE="", EPISODE_NARRATIVE="A front."),
        event(3, "20190710", "800", EVENT_NARRATIVE=""),
    ).found
    assert [own.text, outbreak.text, none.text] == [
        "Flash Flood. Two roads closed.",
        "Flash Flood. A front.",
        "Flash Flood.",
    ]


def test_no_place_is_made_of_nothing(tmp_path):
    rows = [
        event(1, "20190710", "800", BEGIN_LAT=lat, BEGIN_LON=lon) for lat, lon in (("", ""), ("0", "0"), ("99", "1"))
    ]
    rows = [row | {"EVENT_ID": str(number)} for number, row in enumerate(rows)]
    assert all(own.latitude != own.latitude and own.longitude != own.longitude for own in bulk(tmp_path, *rows).found)


def test_older_files_have_the_letters_of_windows(tmp_path):
    path = write_events(tmp_path / "details.csv", [event(1, "20190710", "800", EVENT_NARRATIVE="In Ca\u00f1on City.")])
    path.write_bytes(path.read_text().encode("cp1252"))
    assert storm_events.read(path).found[0].narrative == "In Ca\u00f1on City."


def test_the_export_has_other_columns(tmp_path):
    (found,) = storm_events.read(web_file(tmp_path, web_row(EVENT_NARRATIVE="Flooded."))).found
    assert (found.start, found.end) == (datetime(2019, 3, 10, 13, 10), datetime(2019, 3, 10, 15))
    assert (found.state, found.place, found.text) == ("NY", "QUEENS", "Flash Flood. Flooded.")


def test_the_export_quotes_badly(tmp_path):
    sensors = web_row(8, SOURCE="AWOS,ASOS,MESONET,ETC", EVENT_NARRATIVE="Wet.")  # commas without quotation marks
    broken = web_row(9, EPISODE_NARRATIVE="It was a fraction", EVENT_NARRATIVE="First.")
    found = storm_events.read(web_file(tmp_path, sensors, broken[:-1], ["of the costs"], ["", "more"], web_row(10)))
    assert [own.id for own in found.found] == ["8", "9", "10"]
    assert found.found[0].end == datetime(2019, 3, 10, 15)
    assert found.found[0].narrative == "Wet."
    assert found.refused == {"EVENT_ID is not all digits": 2}


def test_an_export_without_ends_has_events_of_a_moment(tmp_path):
    path = tmp_path / "export.csv"
    keep = [number for number, name in enumerate(WEB) if not name.startswith("END")]
    path.write_text("".join(",".join(row[number] for number in keep) + "\n" for row in (WEB, web_row())))
    (found,) = storm_events.read(path).found
    assert found.end == found.start == datetime(2019, 3, 10, 13, 10)


@pytest.mark.parametrize("content", [b"", b"EVENT_ID,X\n1,2\n", b"\x00\xff"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=r"x.csv has not the columns of Storm Events"):
        storm_events.read(tmp_path / "x.csv")


@real
def test_real_bulk_files():
    """d2019, first row: 201901, 29, 1200 to 1900, event 801726, WEST VIRGINIA, Winter Weather, Z 52 BERKELEY, EST-5.
    d1993, first row: 199311, 14, 1800, event 10314043, ALABAMA, Thunderstorm Wind, C 125 TUSCALOOSA, CST.
    """
    found = storm_events.read(SHARED / "stormevents" / "StormEvents_details-ftp_v1.0_d2019_c20190617.csv.gz")
    assert (len(found.found), found.refused) == (15447, {})
    first = found.found[0]
    assert (first.id, first.type, first.kind, first.code) == ("801726", "Winter Weather", "Z", "54052")
    assert (first.start, first.end) == (datetime(2019, 1, 29, 17), datetime(2019, 1, 30))
    assert first.text.startswith(
        "Winter Weather. Snowfall amounts of 1 to 2 inches were observed across Berkeley County"
    )
    assert sum(own.latitude == own.latitude for own in found.found) == 3931
    old = storm_events.read(SHARED / "stormevents" / "StormEvents_details-ftp_v1.0_d1993_c20170717.csv.gz")
    assert (len(old.found), old.refused) == (8664, {})
    assert old.found[0].start == datetime(1993, 11, 15)
    assert old.found[0].text == "Thunderstorm Wind. Trees were blown down in Echola. One tree fell onto a house."


@real
@pytest.mark.parametrize(
    ("name", "events", "refused", "within"),
    [("nyc_flash_floods", 378, 90, 31), ("houston_or_ca", 82, 0, 54), ("zfx", 500, 90, 0)],
)
def test_real_exports(name, events, refused, within):
    """zfx.csv is badly quoted: of its 590 rows that are not empty 500 begin with an id of digits, of which 119 have the
    source AWOS,ASOS,MESONET,ETC in four cells. In nyc_flash_floods.csv 90 rows are the rest of five narratives.
    """
    found = storm_events.read(SHARED / "stormevents_web" / f"{name}.csv")
    assert (len(found.found), sum(found.refused.values())) == (events, refused)
    inside = [own for own in found.found if datetime(2012, 10, 2) <= own.start < datetime(2017, 11, 29)]
    assert len(inside) == (within or len(inside))
    assert all(own.narrative for own in inside) or not within


@real
def test_real_export_of_houston():
    """houston_or_ca.csv, first row: 449287, HARRIS CO., 04/27/2013, 1645, Flash Flood, TX, CST-6, 29.7168, -95.75."""
    first = storm_events.read(SHARED / "stormevents_web" / "houston_or_ca.csv").found[0]
    assert (first.id, first.start, first.state, first.place) == (
        "449287",
        datetime(2013, 4, 27, 22, 45),
        "TX",
        "HARRIS",
    )
    assert (first.latitude, first.longitude) == (29.7168, -95.75)


# Places


def test_distances_are_along_great_circles():
    stations = [Station("a", "", 40.7789, -73.9692), Station("b", "", 29.9844, -95.3608), Station("c")]
    apart = distances((40.7792, -73.88), stations)  # from La Guardia to Central Park, Houston, nowhere
    assert apart[0] == pytest.approx(7.5, abs=0.1)
    assert apart[1] == pytest.approx(2275, rel=0.01)
    assert apart[2] == float("inf")


def test_an_event_without_coordinates_is_at_the_centre_of_its_county_or_zone(tmp_path):
    (tmp_path / "bp16ap26.dbx").write_text(
        "NY|072|OKX|Queens N|NY072|Queens|36081|E|se|40.7|-73.8\nNY|176|OKX|Queens S|NY176|Queens|36081|E|se|40.9|-73.6\n"
    )
    zones = Zones([tmp_path / "bp16ap26.dbx"])
    nowhere = {"BEGIN_LAT": "", "BEGIN_LON": ""}
    county, zone, other, placed = bulk(
        tmp_path,
        event(1, "20190710", "800", **nowhere),
        event(2, "20190710", "800", CZ_TYPE="Z", CZ_FIPS="176", **nowhere),
        event(3, "20190710", "800", CZ_FIPS="1", **nowhere),
        event(4, "20190710", "800"),
    ).found
    assert zones.place(county) == pytest.approx((40.8, -73.7))
    assert zones.place(zone) == (40.9, -73.6)
    assert zones.place(other) is None
    assert zones.place(placed) == (40.75, -73.87)


@pytest.mark.parametrize(
    ("line", "match"), [("a|b", "line 1: it has 2 cells"), ("a|" * 9 + "x|y", "line 1: LAT and LON are")]
)
def test_a_file_of_zones_that_cannot_be_used(tmp_path, line, match):
    (tmp_path / "bp.dbx").write_text(line + "\n")
    with pytest.raises(CorpusError, match=match):
        Zones([tmp_path / "bp.dbx"])


@real
def test_real_station_lists():
    """ghcnh-station-list.csv: USW00014939,40.8478,-96.7647,356.6,NE,LINCOLN AP; isd-history.csv: "071470","99999",
    "VELIZY","FR","","LFPV","+48.774","+002.202".
    """
    wanted = {"USW00014939", "071470-99999"}
    ghcn = read_stations(SHARED / "ghcnh" / "ghcnh-station-list.csv", wanted)
    assert ghcn == {"USW00014939": Station("USW00014939", "LINCOLN AP", 40.8478, -96.7647)}
    isd = read_stations(SHARED / "stations" / "isd-history.csv", wanted)
    assert isd["071470-99999"] == Station("071470-99999", "VELIZY", 48.774, 2.202)
