"""A first `tables.yaml` for a folder: what its files look like, with a comment wherever that is not sure."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from data_modules.schema import CorpusError
from data_modules.tables.draft import draft
from data_modules.tables.excel import sheets_of
from data_modules.tables.files import EXCEL_ENDINGS, OTHER_ENDINGS, is_table
from data_modules.tables.looks import Look, channel_in, channels_below, is_noted, look
from data_modules.tables.packed import stem_of
from data_modules.tables.rows import id_of
from trace_lit.errors import InputError, first_line

MOST_FILES = 200


def guess(folder: Path) -> str:
    """The YAML for the files in `folder` and below.

    Raises
    ------
    CorpusError
        It is no folder, or holds no series.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no folder {folder}; give the folder that the tables lie in")
    lines, files = [], []
    found = sorted(
        file
        for file in folder.rglob("*")
        if (is_table(file) or file.suffix.lower() in (".json", ".zip", *OTHER_ENDINGS))
        and file.is_file()
        and not _hidden(file, folder)
    )
    for file in found[:MOST_FILES]:
        sheets = sheets_of(file) if file.suffix.lower() in EXCEL_ENDINGS else []
        for sheet in sheets if len(sheets) > 1 else [None]:
            try:
                files.append(look(file, sheet))
            except InputError as error:
                where = f"{file.relative_to(folder)}{f', sheet {sheet}' * (sheet is not None)}"
                lines.append(f"# {where} is left out: {first_line(error).replace(str(folder) + '/', '')}")
    if len(found) > MOST_FILES:
        lines.append(f"# {len(found) - MOST_FILES} further files were not looked at")
    groups = _grouped(files)
    _name_by_others(groups)
    series = [own for own in groups if own.numbers or own.value]
    notes = [own for own in groups if (own.text if own not in series else is_noted(own)) or own.label]
    for own in groups:
        if own not in series and own not in notes:
            lines.append(f"# {own.path.relative_to(folder)} is left out: {_columns(own)}")
    if not series:
        looked = "; ".join(f"{own.path.relative_to(folder)} has {_columns(own)}" for own in groups[:10])
        kinds = "no table (CSV, TSV, JSON, Excel or Parquet) was found"
        raise CorpusError(" ".join([f"{folder} holds no file with times and numbers; {looked or kinds}", *lines]))
    _name_apart(series)
    _tie(notes, series)
    return draft(folder, series, notes, lines)


def _columns(own: Look) -> str:
    """What the columns of a file seem to be."""
    kinds = {"times": own.time, "numbers": own.numbers, "texts": own.texts}
    return ", ".join(f"{kind} in {', '.join(map(repr, names[:5]))}" for kind, names in kinds.items() if names)


def _name_by_others(groups: list[Look]) -> None:
    """Take a column of numbers for the one of ids where it is called like that of another file."""
    ids = {own.id for own in groups}
    for own in groups:
        if own.id is None and (shared := next((name for name in own.numbers if name in ids), None)):
            own.id = shared
            own.numbers.remove(shared)


def _hidden(file: Path, folder: Path) -> bool:
    """Whether a file is hidden, or of a corpus or a run."""
    inside = file.relative_to(folder).parts
    above = [folder.joinpath(*inside[:depth]) for depth in range(1, len(inside))]
    return any(part.startswith((".", "~$")) for part in inside) or any(
        (place / "corpus.yaml").is_file() or (place / "config.yaml").is_file() for place in above
    )


def _grouped(files: list[Look]) -> list[Look]:
    """The first of the files of each form, with the others in its `alike`."""
    first: dict[tuple[object, ...], Look] = {}
    for own in files:
        columns = tuple(map(str, own.table.frame.columns))
        key = own.path.suffix, own.sheet, columns, own.table.layout.separator
        if key in first:
            first[key].alike.append(own)
        else:
            first[key] = own
    return list(first.values())


def _name_apart(series: list[Look]) -> None:
    """Give series names where files with channels of the same name are of the same time."""
    whole = [own for own in series if own.id is None]
    for own in whole:
        names = {own.value} if own.value else set(own.numbers)
        others = [
            other
            for other in whole
            if other is not own and names & ({other.value} if other.value else set(other.numbers))
        ]
        everything = [file for group in (own, *others) for file in (group, *group.alike)]
        if _overlap(everything):
            folders: dict[Path, list[Look]] = {}
            for file in everything:
                folders.setdefault(file.path.parent, []).append(file)
            by_folder = len(folders) > 1 and not any(map(_overlap, folders.values()))
            sheets = [file for file in everything if file.path == own.path]
            own.name = "{folder}" if by_folder else "{file}"
            if len(sheets) > 1 and own.sheet is not None:
                own.name = "{sheet}" if len(sheets) == len(everything) else "{file} {sheet}"


def _overlap(files: list[Look]) -> bool:
    """Whether the times of two files overlap."""
    spans = sorted((np.nanmin(own.times.local), np.nanmax(own.times.local)) for own in files)
    return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))


def _tie(notes: list[Look], series: list[Look]) -> None:
    """Find the columns of notes that name series and channels, as their cells are names of these."""
    ids = {
        id_of(cell)
        for own in series
        if own.id
        for file in (own, *own.alike)
        for cell in file.table.frame[own.id].unique()
    }
    ids |= {stem_of(file.path) for own in series if own.name == "{file}" for file in (own, *own.alike)}
    channels = {
        name.casefold()
        for own in series
        for channel in (
            channels_below(own) if own.channel else {name: channel_in(own, name) for name in own.numbers}
        ).values()
        for name in (channel.name, channel.key)
    }
    for own in notes:
        if own in series:
            continue
        own.id = own.channel = None
        for name in map(str, own.table.frame.columns):
            cells = {id_of(cell) for cell in own.table.frame[name].dropna().unique()} - {None}
            if name in (*own.time, own.text) or not cells:
                continue
            if own.id is None and len(cells & ids) * 2 >= len(cells):
                own.id = name
            elif own.channel is None and len({str(cell).casefold() for cell in cells} & channels) * 2 >= len(cells):
                own.channel = name
