"""The universal model, trained on generated series alone: random channels, and the simulators without their texts.

    python experiments/universal.py [--minutes 31] [--corpora 60] [--text-steps 4000] [--out DIR] [key=value ...]

Series and texts are trained together at first, then texts alone, on more corpora. The weights go to trace_lit/universal/
with about.yaml: their checksum, the command, the date, the commit and what was measured on validation windows. No real
data and no reports are read.
"""

from __future__ import annotations

import argparse
import math
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

import trace_lit
from data_modules import Corpus, CorpusInfo, Record, write_corpus
from data_modules.sources import generated
from trace_lit.modules import load_checkpoint
from trace_lit.modules.finding import ABOUT, PACKAGED, UNIVERSAL
from trace_lit.modules.packaged import write_packaged
from trace_lit.settings import load_config
from trace_lit.train.fit import FitResult

SETTINGS = Path(__file__).parent / "universal" / "align.yaml"
STEP_SECONDS = 0.6  # a step of 64 windows and 9 texts each takes so long on one core
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


def epochs_within(minutes: float, corpora: Sequence[Path], batch_size: int) -> int:
    """How many epochs take about so long on one core; one at least."""
    batches = sum(math.ceil(len(Corpus.load(path).select("train")) / batch_size) for path in corpora)
    return max(1, round(minutes * 60 / STEP_SECONDS / batches))


def commit() -> str:
    """Of the working tree, with a mark where it has changes."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=31, help="of gradient steps on one core, about (default: 31)")
    parser.add_argument("--corpora", type=int, default=60, help="of random channels (default: 60)")
    parser.add_argument("--windows", type=int, default=280, help="of each (default: 280)")
    parser.add_argument("--text-steps", type=int, default=4000, help="of texts alone, afterwards (default: 4000)")
    parser.add_argument("--text-corpora", type=int, default=200, help="of random channels for these (default: 200)")
    parser.add_argument("--start", help="an aligned run whose texts learn on, in the place of the first part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("corpora/universal"), help="where the corpora are written")
    parser.add_argument("--out", type=Path, default=PACKAGED, help="where the weights go (default: into the package)")
    parser.add_argument("words", nargs="*", metavar="key=value", help="further settings")
    options = parser.parse_args()

    command = {"command": shlex.join(["python", *sys.argv]), "commit": commit()}
    start, before = (together(options), {}) if options.start is None else (options.start, origin(options.start))
    run = texts_alone(options, start)
    about = {
        "made": "from generated data alone, by make universal",
        **command,
        **before,
        "date": datetime.now(UTC).date().isoformat(),
        "validation": {name: round(value, 4) for name, value in run.metrics.items() if name.startswith("last/")},
    }
    weights = write_packaged(load_checkpoint(run.folder), options.out, about)
    print(f"written: {weights} ({weights.stat().st_size / 1e6:.2f} MB)")


def together(options: argparse.Namespace) -> str:
    """Train series and texts; the run's folder."""
    corpora = write_corpora(options.work, options.corpora, options.windows, options.seed)
    epochs = epochs_within(options.minutes, corpora, load_config([SETTINGS], options.words).data.batch_size)
    every = max(1, epochs // 4)  # few validations: each embeds all corpora
    words = [f"trainer.max_epochs={epochs}", f"evaluation.every_n_epochs={every}"]
    run = trace_lit.fit(SETTINGS, *common(options, corpora), "run.name=universal", *words, overwrite=True)
    return str(run.folder)


def texts_alone(options: argparse.Namespace, start: str) -> FitResult:
    """Train the texts of `start` on, of more corpora, whose series stay where `start` has them."""
    corpora = write_corpora(options.work, options.text_corpora, options.windows, options.seed)
    words = [f"init_from={start}", f"alignment.statement_steps={options.text_steps}", "trainer.max_epochs=0"]
    words += ["optim.learning_rate=1.5e-3", "run.name=universal-texts"]
    return trace_lit.fit(SETTINGS, *common(options, corpora), *words, overwrite=True)


def common(options: argparse.Namespace, corpora: Sequence[Path]) -> list[str]:
    """Words of both parts."""
    return [f"data.corpus=[{','.join(map(str, corpora))}]", f"seed={options.seed}", *options.words]


def origin(start: str) -> dict[str, str]:
    """How a packaged model that is trained on was made."""
    if start != UNIVERSAL:
        return {"start": start}
    about = yaml.safe_load((PACKAGED / ABOUT).read_text(encoding="utf-8"))
    return {"start": f"{about['command']}, commit {about['commit']}"}


if __name__ == "__main__":
    main()
