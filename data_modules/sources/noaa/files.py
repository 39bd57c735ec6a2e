"""What a folder holds of NOAA's data: each file by its header or name, wherever it lies below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data_modules.corpus import CorpusError
from data_modules.sources.delimited import header_of
from data_modules.sources.noaa import ghcnh, isd_lite, lcd
from data_modules.sources.noaa.places import GHCN_LIST, ISD_LIST
from data_modules.sources.noaa.reports import Reports
from data_modules.sources.noaa.storm_events import is_storm_events
from data_modules.tables.packed import PACKED_ENDINGS, plain_name


@dataclass
class Files:
    """The files of each form, in the order of their paths."""

    ghcnh: list[Path] = field(default_factory=list)
    lcd: list[Path] = field(default_factory=list)
    isd_lite: list[Path] = field(default_factory=list)
    events: list[Path] = field(default_factory=list)
    stations: list[Path] = field(default_factory=list)
    zones: list[Path] = field(default_factory=list)

    @classmethod
    def below(cls, root: Path) -> Files:
        """The files below the folder `root`; what is of no known form is left alone.

        Raises
        ------
        CorpusError
            There is no such folder, or no file with reports in it.
        """
        if not root.is_dir():
            raise CorpusError(f"there is no folder {root}; it should hold GHCN-hourly, LCD or ISD-Lite files")
        files = cls()
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            if (form := _form(path)) is not None:
                getattr(files, form).append(path)
        if not (files.ghcnh or files.lcd or files.isd_lite):
            raise CorpusError(
                f"no reports of weather stations in {root}: looked for GHCN-hourly (*.psv, *.parquet), LCD (*.csv with a "
                "column HourlyDryBulbTemperature) and ISD-Lite (USAF-WBAN-YEAR); text files may be packed (.gz, .bz2, .xz)"
            )
        return files

    def reports(self, offsets: Mapping[str, float] | None = None) -> Iterator[Reports]:
        """All reports, those of the preferred form first."""
        for path in self.ghcnh:
            yield from ghcnh.read(path)
        for path in self.lcd:
            yield from lcd.read(path, offsets)
        for path in self.isd_lite:
            yield from isd_lite.read(path)

    def counts(self) -> Counter[str]:
        return Counter({name: len(paths) for name, paths in vars(self).items() if paths})


def _form(path: Path) -> str | None:
    """The field of `Files` that the file belongs to."""
    name = plain_name(path).lower() if path.suffix.lower() in PACKED_ENDINGS[:-1] else path.name.lower()
    if isd_lite.NAME.fullmatch(path.name):
        return "isd_lite"
    if name.endswith((".psv", ".parquet")):
        return "ghcnh" if name.startswith("ghcnh") or name.endswith(".psv") else None
    if name.startswith("bp") and name.endswith(".dbx"):
        return "zones"
    if not name.endswith(".csv"):
        return None
    head = [own.lower() for own in header_of(path)]
    if lcd.MARK in head:
        return "lcd"
    if is_storm_events(head):
        return "events"
    return "stations" if set(head) >= set(GHCN_LIST) or set(head) >= set(ISD_LIST) else None
