"""One file as a table of cells, by its name: CSV, TSV, JSON, Excel and Parquet, packed or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

from data_modules.schema import CorpusError
from data_modules.tables.csv_text import read_csv
from data_modules.tables.excel import read_excel
from data_modules.tables.json_records import read_json
from data_modules.tables.layouts import Layout
from data_modules.tables.packed import PACKED_ENDINGS, plain_name
from data_modules.tables.parquet import read_parquet
from data_modules.tables.table import Table, Wanted
from trace_lit.nearest import nearest_place

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".dat")
EXCEL_ENDINGS = (".xlsx", ".xlsm")
PARQUET_ENDINGS = (".parquet", ".pq")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
OTHER_ENDINGS = (".xls", ".xlsb", ".ods", ".zst")  # of tables that are not read
ENDINGS = (*TEXT_ENDINGS, *EXCEL_ENDINGS, *PARQUET_ENDINGS, *JSON_ENDINGS[:2])


def is_table(path: Path) -> bool:
    """Whether a file is a table that is read, by its name; not those that may be anything, like .json and .zip."""
    packed = path.suffix.lower() in PACKED_ENDINGS
    ending = PurePath(path.stem if packed else path.name).suffix.lower()
    return ending in ((*TEXT_ENDINGS, *JSON_ENDINGS[:2]) if packed else ENDINGS)


def read_table(
    path: Path,
    layout: Layout | None = None,
    texts: Callable[[str], bool] | None = None,
    wanted: Wanted | None = None,
) -> Table:
    """The table in the file `path`; of a Parquet file, only the rows that are `wanted`.

    Cells of a CSV file are numbers where all of their column are, and texts elsewhere; those of columns that `texts`
    accepts by name are texts. CSV and JSON files may be packed, see `data_modules.tables.packed`.

    Raises
    ------
    CorpusError
        There is no such file, or it is no table.
    """
    path, layout = Path(path), layout or Layout()
    if not path.is_file():
        raise CorpusError(f"there is no file {path}{nearest_place(path)}")
    ending = PurePath(plain_name(path)).suffix.lower()
    try:
        if ending in (*PARQUET_ENDINGS, *EXCEL_ENDINGS, *PACKED_ENDINGS) and path.suffix.lower() in PACKED_ENDINGS:
            raise CorpusError(f"{path} holds a file of the kind {ending}; unpack it first")
        if ending in PARQUET_ENDINGS:
            return read_parquet(path, layout, wanted)
        if ending in EXCEL_ENDINGS:
            return read_excel(path, layout)
        if ending in JSON_ENDINGS:
            return read_json(path, layout)
        if ending in OTHER_ENDINGS[:3]:
            raise CorpusError(f"{path}: workbooks of the kind {ending} are not read; save it as .xlsx or .csv")
        if ending in OTHER_ENDINGS:
            raise CorpusError(f"{path} is packed as {ending}, which is not read; unpack it first")
        return read_csv(path, layout, texts or (lambda name: False))
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error}") from None
