"""Adding what is new in its files to a corpus that was built from them.

Rows that are there stay as they are, with their ids and splits; new rows belong to the test split, so that what a run has
learned from and was chosen by is unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from data_modules.assembly import assembled
from data_modules.corpus import Corpus, CorpusError, Record
from data_modules.corpus_writing import write_grown, write_grown_series
from data_modules.frequency import Frequency
from data_modules.schema import SCHEMA, CorpusInfo, end_times, start_times, values_type
from data_modules.sources import tables
from data_modules.tables.counts import Counts
from data_modules.tables.seen import Recent, seen, unchanged
from data_modules.tables.spec import SeriesSpec, find, spec_of
from data_modules.validation import fingerprint_of, row_problems, summary
from trace_lit.atomic import write_atomically
from trace_lit.holding import held
from trace_lit.plain import PlainError, at_home, read_yaml

SOURCE_FILE = "source.yaml"


@dataclass(frozen=True)
class Origin:
    """What a corpus was built from."""

    domain: str
    root: str
    options: dict[str, Any]
    place: str  # where the corpus was built; a folder that was brought from elsewhere does not decide what is read here
    fingerprint: str  # of the corpus that was built
    files: dict[str, Any] = dataclasses.field(
        default_factory=dict
    )  # what they were when they were read last, see `seen`


def record_origin(corpus: Corpus, domain: str, root: str | Path, options: Mapping[str, Any]) -> None:
    """Note in the folder of a `corpus` what it was built from."""
    folder, place = str(at_home(root).resolve()), str(corpus.path.resolve())
    files = seen(tables.upstream(Path(folder), options), Path(folder))
    _write_origin(corpus, Origin(domain, folder, _plain(options), place, corpus.fingerprint, files))


def _write_origin(corpus: Corpus, origin: Origin) -> None:
    text = yaml.safe_dump(dataclasses.asdict(origin), sort_keys=False, allow_unicode=True, width=120)
    write_atomically(corpus.path / SOURCE_FILE, text)


def append(path: str | Path, counts: Counts, root: str | Path | None = None) -> tuple[Corpus, int]:
    """Add the windows that are new in the files of the corpus in the folder `path`; the corpus, and how many they are.

    Its files are those below `root`, by default where they were when it was built.

    Raises
    ------
    CorpusError
        It was not built from tables, was built elsewhere and no `root` is given, or its files cannot be read.
    """
    with held(Path(path), wait=True):
        return _appended(Path(path), counts, root)


def _appended(path: Path, counts: Counts, root: str | Path | None) -> tuple[Corpus, int]:
    corpus, origin = Corpus.load(path), _origin(path)
    if not corpus.known_as([origin.fingerprint]):
        raise CorpusError(f"{path} was built again since its {SOURCE_FILE} was written; build it from its tables first")
    if root is None and Path(origin.place) != path.resolve():
        raise CorpusError(
            f"{path} was built elsewhere ({origin.place}), so what its {SOURCE_FILE} says is not read from; name the folder "
            "with its files: --root FOLDER"
        )
    place = at_home(origin.root if root is None else root)
    if not place.is_dir():
        raise CorpusError(f"there is no folder {place} with the files of {path}; name it with --root FOLDER")
    spec_of(origin.options)  # which are those of its build, unless somebody has changed them
    files = seen(tables.upstream(place, origin.options), place)  # before they are read, as they may grow meanwhile
    new, agree = _read(corpus, origin, place, counts)
    grown = corpus
    if new and corpus.series is not None:
        grown = write_grown_series(corpus, new, _history(corpus))
    elif new:
        grown = _grown(corpus, new)
        write_grown(grown, path)
    if agree and files != origin.files:
        _write_origin(grown, dataclasses.replace(origin, files=files))
    return grown, len(new)


def _read(corpus: Corpus, origin: Origin, place: Path, counts: Counts) -> tuple[list[Record], bool]:
    """The new records, and whether the files have all others as they are."""
    known = _known(corpus, origin)
    if recent := _recent(corpus, origin, place, known):
        noted = Counts()
        try:
            new = _windows(corpus, origin, place, noted, dataclasses.replace(known, recent=recent))
        except CorpusError:  # what is the matter is seen where all is read
            pass
        else:
            counts.take(noted)
            return new, True
    new = _windows(corpus, origin, place, counts, known)
    return new, not any(map(counts.number, (_CHANGED, _GONE)))


def _windows(corpus: Corpus, origin: Origin, place: Path, counts: Counts, known: tables.Known) -> list[Record]:
    _, records = tables.windows(place, origin.domain, **origin.options, counts=counts, known=known)
    return list(_new(corpus, records, counts, known.recent))


def _recent(corpus: Corpus, origin: Origin, place: Path, known: tables.Known) -> Recent | None:
    """What need not be read again; None where a file that was read is gone or changed, or notes are new."""
    spec = spec_of(origin.options)
    lines: dict[str, int] = {}
    for part in [*spec.series, *spec.notes]:
        for file in find(place, part.files, "series or notes"):
            name = str(file.relative_to(place))
            there = unchanged(file, origin.files[name]) if name in origin.files else None
            if (there is None and name in origin.files) or (part in spec.notes and there != 0):
                return None
            if isinstance(part, SeriesSpec) and part.across is not None and there:
                return None
            if there is not None:
                lines[name] = there
    if not lines or origin.files.keys() - lines.keys():
        return None
    last: dict[str, np.datetime64] = {}
    for name, start in zip(corpus.series_ids, start_times(corpus.columns()), strict=True):
        last[name] = max(start, last.get(name, start))
    step = Frequency.parse(corpus.info.frequency)
    since = {name: step.advance(start, np.array([known.stride]))[0] for name, start in last.items()}
    return Recent(since, step, lines)


def _origin(path: Path) -> Origin:
    file = path / SOURCE_FILE
    try:
        content = read_yaml(file)
        origin = Origin(**content)
        if not all(isinstance(own, str) for own in (origin.domain, origin.root, origin.place, origin.fingerprint)):
            raise TypeError("a value is no text")
        if not isinstance(origin.options, dict) or not isinstance(origin.files, dict):
            raise TypeError("options or files are no mapping")
        return origin
    except FileNotFoundError:
        raise CorpusError(
            f"{path} holds no {SOURCE_FILE}, so it is not known what it was built from; rows are added to corpora that "
            "`trace-lit data build --source tables` has built"
        ) from None
    except (PlainError, TypeError) as error:
        raise CorpusError(f"{file} is damaged: {error}") from None


def _known(corpus: Corpus, origin: Origin) -> tables.Known:
    """What new windows must fit to."""
    begins: dict[str, np.datetime64] = {}
    for name, start in zip(corpus.series_ids, start_times(corpus.columns()), strict=True):
        begins[name] = min(start, begins.get(name, start))
    length = int(corpus.lengths[0])
    return tables.Known(corpus.info, begins, length, spec_of(origin.options).windows.stride or length)


_CHANGED, _GONE = "windows that have changed", "windows that the files do not have any more"


def _new(corpus: Corpus, records: Iterator[Record], counts: Counts, recent: Recent | None) -> Iterator[Record]:
    """The records that the corpus has not, all of the test split; what cannot be added is counted.

    Where only `recent` rows were read, records before them are not looked at.
    """
    starts, ends = start_times(corpus.columns()), end_times(corpus.columns())
    last: dict[str, np.datetime64] = {}  # of training and validation
    for name, split, end in zip(corpus.series_ids, corpus.splits, ends, strict=True):
        if split != "test":
            last[name] = max(end, last.get(name, end))
    values, row_of = corpus.values(), {name: row for row, name in enumerate(corpus.ids)}
    gone = dict.fromkeys(corpus.ids)
    for record in records:
        if recent is not None and np.datetime64(record.start, "us") < recent.since[record.series_id]:
            continue
        row = row_of.get(record.id)
        gone.pop(record.id, None)
        if row is not None:
            same = np.array_equal(values[row], record.values.astype(values[row].dtype), equal_nan=True)
            if not same or corpus.texts[row] != record.text or starts[row] != np.datetime64(record.start, "us"):
                counts.add(_CHANGED, record.series_id, "kept as they were", 1, record.id)
        elif record.series_id in last and np.datetime64(record.start, "us") < last[record.series_id]:
            what = "new windows in the time of training or validation"
            counts.add(what, record.series_id, "left out; build the corpus anew to train on them", 1, record.id)
        else:
            yield dataclasses.replace(record, values=record.values.copy(), split="test")  # of a long series
    for name in gone if recent is None else ():
        counts.add(_GONE, str(corpus.series_ids[row_of[name]]), "kept as they were", 1, name)


def _grown(corpus: Corpus, new: list[Record]) -> Corpus:
    """The corpus with new rows behind its own."""
    info: CorpusInfo = corpus.info
    added = assembled(new, info)
    parts = [corpus.table(), added]
    place = SCHEMA.get_field_index("values")
    kinds = [values_type(part["values"]) for part in parts]
    kind = kinds[0] if kinds[0] == kinds[1] else pa.list_(pa.list_(pa.float64()))
    table = pa.concat_tables([part.set_column(place, "values", part["values"].cast(kind)) for part in parts])
    table = table.combine_chunks()
    if problems := row_problems(info, table):
        raise CorpusError(summary(problems))
    grown = Corpus(corpus.path, info, fingerprint_of(info, table), table, _history(corpus))
    assert grown.training_fingerprint == corpus.training_fingerprint
    return grown


def _history(corpus: Corpus) -> tuple[tuple[int, str], ...]:
    return *corpus.history, (len(corpus), corpus.fingerprint)


def _plain(content: Any) -> Any:
    """Options as YAML holds them; dates become texts."""
    if isinstance(content, Mapping):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return content if content is None or isinstance(content, (str, bool, int, float)) else str(content)
