"""How much of each reader ran under fuzzing.

    pytest --cov --cov-config=tests/fuzzing/coverage.ini --cov-report=json:coverage.json tests/fuzzing
    python tests/fuzzing/covered.py coverage.json

It ends with code 1 where that is less than `LEAST` of a reader's lines: odd files are then refused by the first checks.

Functions that write files, describe the API or ask a network do not read, so they do not count; neither do the stores of
another machine. Every check that a file or a request can reach counts.
"""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

LEAST = 0.8
READERS = {
    "CSV, workbooks, tables": (
        "data_modules/tables/*",
        "data_modules/frames.py",
        "data_modules/sources/tables.py",
        "data_modules/appending.py",
    ),
    "YAML, JSON, words": ("trace_lit/plain.py", "trace_lit/config/merging.py", "trace_lit/settings.py"),
    "corpora": ("data_modules/corpus_header.py", "data_modules/schema.py", "data_modules/validation.py"),
    "Parquet and stored series": ("data_modules/shards.py", "data_modules/series_values.py"),
    "pickles": ("data_modules/unpickle.py",),
    "checkpoints": ("trace_lit/modules/checkpoint.py", "trace_lit/modules/packaged.py", "trace_lit/modules/places.py"),
    "bodies of requests": (
        "trace_lit/service/bodies.py",
        "trace_lit/service/asking.py",
        "trace_lit/service/fields.py",
        "trace_lit/service/embedding.py",
    ),
    "metrics and runs": ("trace_lit/runs/folder.py", "trace_lit/runs/listing.py", "trace_lit/runs/compare.py"),
    "indexes": ("trace_lit/inference/index_files.py", "trace_lit/retrieval/stores/[fsw]*.py"),
    "public files": ("data_modules/sources/noaa/*", "data_modules/sources/t[ir]*.py", "data_modules/sources/[bdl]*.py"),
}
NO_READER = (
    "*write*",
    "contents",
    "keep_metrics",
    "run_before",
    "to_yaml",
    "to_dict",
    "relative",
    "relative_places",
    "folder_of",
    "run_folder",
    "shard_name",
    "values_name",
    "IndexFile.new_store",
    "IndexFile.drop",
    "*body_of",
    "*_form_of",
    "*_not_null",
    "files_of",
    "describe*",
    "SegmentWriter*",
    "*upsert",
    "*download*",
)


def lines_of(files: dict[str, Any], patterns: tuple[str, ...]) -> tuple[int, int]:
    """How many lines the functions in files of these names have, and how many of them ran."""
    count = ran = 0
    for path, about in files.items():
        if not any(fnmatch(path, own) for own in patterns) or any(fnmatch(Path(path).name, own) for own in NO_READER):
            continue
        for name, own in about["functions"].items():
            if name and not any(fnmatch(name, each) for each in NO_READER):
                count += own["summary"]["num_statements"]
                ran += own["summary"]["covered_lines"]
    return count, ran


def main(path: str) -> int:
    """Print a line for each reader, and give the exit code."""
    files, enough = json.loads(Path(path).read_text())["files"], True
    for reader, patterns in READERS.items():
        count, ran = lines_of(files, patterns)
        print(f"{reader:<28} {100 * ran / max(count, 1):3.0f} % of {count} lines")
        enough &= ran > LEAST * count
    return not enough


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
