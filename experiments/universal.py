"""The universal model, trained on generated series alone: random channels, and the simulators without their texts.

    python experiments/universal.py [--steps 8000] [--corpora 200] [--out DIR] [key=value ...]

It learns from statements and windows' statistics, without an epoch (`alignment.statement_steps`). The weights go to
trace_lit/universal/ with about.yaml: their checksum, the command, the date, the commit and what was measured on validation
windows. No real data and no reports are read.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import trace_lit
from data_modules import CorpusInfo, Record, write_corpus
from data_modules.sources import generated
from trace_lit.modules import load_checkpoint
from trace_lit.modules.finding import PACKAGED
from trace_lit.modules.packaged import write_packaged

SETTINGS = Path(__file__).parent / "universal" / "align.yaml"
SIMULATED = (  # and lengths of their windows
    (generated.weather, 24),
    (generated.weather, 72),
    (generated.energy, 24),
    (generated.energy, 48),
    (generated.healthcare, 48),
)


def without_texts(records: Iterator[Record]) -> Iterator[Record]:
    """The same windows, of which only the values are known."""
    for record in records:
        yield replace(record, text="", channel_texts=[""] * len(record.values), label=None)


def write_corpora(folder: Path, count: int, windows: int, seed: int) -> list[Path]:
    """`count` varied corpora and the simulated ones, of about so many windows each."""
    made: list[tuple[str, CorpusInfo, Iterator[Record]]] = []
    for number in range(count):
        made.append((f"varied-{number}", *generated.varied(number, windows, seed)))
    for simulate, length in SIMULATED:
        info, records = simulate(2 * windows, length, seed)
        name = f"{info.domain}-{length}"
        made.append((name, replace(info, name=name, label_names=()), without_texts(records)))
    return [write_corpus(records, info, folder / name).path for name, info, records in made]


def commit() -> str:
    """Of the working tree, with a mark where it has changes."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, help="on texts, in the place of the recipe's")
    parser.add_argument("--corpora", type=int, default=200, help="of random channels (default: 200)")
    parser.add_argument("--windows", type=int, default=280, help="of each (default: 280)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("corpora/universal"), help="where the corpora are written")
    parser.add_argument("--out", type=Path, default=PACKAGED, help="where the weights go (default: into the package)")
    parser.add_argument("words", nargs="*", metavar="key=value", help="further settings")
    options = parser.parse_args()

    made_by = {"command": shlex.join(["python", *sys.argv]), "commit": commit()}
    corpora = write_corpora(options.work, options.corpora, options.windows, options.seed)
    words = [
        f"data.corpus=[{','.join(map(str, corpora))}]",
        f"seed={options.seed}",
        "run.name=universal",
        *options.words,
    ]
    if options.steps is not None:
        words.append(f"alignment.statement_steps={options.steps}")
    run = trace_lit.fit(SETTINGS, *words, overwrite=True)
    about = {
        "made": "from generated data alone, by make universal",
        **made_by,
        "date": datetime.now(UTC).date().isoformat(),
        "validation": {name: round(value, 4) for name, value in run.metrics.items() if name.startswith("last/")},
    }
    weights = write_packaged(load_checkpoint(run.folder), options.out, about)
    print(f"written: {weights} ({weights.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()
