"""CPU time until the command has answered, as ratios to `python -c "import torch"`, each in processes of its own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REFERENCE = "import torch"
CLI = ("-P", "-m", "trace_lit.cli")
ANSWERS = {
    "trace-lit --help": (*CLI, "--help"),
    "trace-lit --version": (*CLI, "--version"),
    "a wrong word": (*CLI, "fit", "no.such=1"),
    "a missing run": (*CLI, "search", "nowhere", "--text", "fog"),
    "trace-lit keys": (*CLI, "keys"),
    "import trace_lit, data_modules": ("-c", "import trace_lit, data_modules"),
}
MODEL = (
    "encoder={width: 32, layers: 1, heads: 2}",
    "trainer={accelerator: cpu, max_epochs: 1}",
    "evaluation.bootstrap=0",
)


def cpu_seconds(words: Sequence[str], place: Path) -> float:
    """What Python with these words takes, all its threads and children together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, *words], cwd=place, env=environment, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def small_run(place: Path) -> Path:
    """An aligned run of seconds on a generated corpus that stays where it is."""
    fit = ("fit", "stage=align", "data.options.instances=60", "text.cache_dir=texts", *MODEL)
    subprocess.run([sys.executable, *CLI, *fit], cwd=place, capture_output=True, check=True)
    return place / "runs" / "weather" / "align" / "default"


def startup_costs(rounds: int = 5) -> dict[str, dict[str, float]]:
    """CPU seconds of each answer, and their ratio to those of importing torch; medians of turns taken one after another.

    Each turn measures all of them, so that other work on the machine slows all alike. The first turn fills the caches of
    files and is not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run, index = str(small_run(place)), str(place / "index")
        (corpus,) = place.glob("corpora/*/corpus.yaml")
        build = ("index", "build", run, "--corpus", str(corpus.parent), "--out", index)
        subprocess.run([sys.executable, *CLI, *build], cwd=place, capture_output=True, check=True)
        search = (*CLI, "search", run, "--text", "a cold front", "--top", "3")
        asked = {
            "import torch": ("-c", REFERENCE),
            **ANSWERS,
            "a search in a corpus that is embedded for it": search,
            "a search in what an index keeps": (*search, "--index", index),
        }
        turns = [{name: cpu_seconds(words, place) for name, words in asked.items()} for _ in range(rounds + 1)][1:]
    return {
        name: {
            "cpu_seconds": statistics.median(turn[name] for turn in turns),
            "ratio": statistics.median(turn[name] / turn["import torch"] for turn in turns),
        }
        for name in asked
    }


def print_costs(costs: dict[str, dict[str, float]]) -> None:
    """As a Markdown table."""
    print("| answer | CPU s | ratio to import torch |\n|:--|--:|--:|")
    for name, own in costs.items():
        print(f"| {name} | {own['cpu_seconds']:.2f} | {own['ratio']:.3f} |")
