"""Many runs and one table: what `ablation.py` and `results.py` share.

A row is a way to pre-train and align; it runs once a seed, and the table holds mean ± deviation over seeds. Runs are
separate processes of `trace-lit`, some at once, each on its share of the cores. A run that has its test metrics already is
not run again, so a sweep that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
PAIR = "text_to_series/pair/MRR"


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str  # of the runs, too
    title: str
    pretrain: Sequence[str] | None  # words of `trace-lit fit`; None: alignment starts from random weights
    align: Sequence[str]
    shares: str | None = None  # another row whose pre-training is taken


def arguments(
    description: str, seeds: Sequence[int] = (0, 1, 2), flags: Mapping[str, str] | None = None
) -> argparse.Namespace:
    """The options of a sweep; `flags` are names of further ones without a value, and what they do."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--root", type=Path, default=HERE.parent.parent / "shared" / "data", help="has timecap, timemmd"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--corpora", type=Path, default=Path("corpora"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at once")
    parser.add_argument("--threads", type=int, help="of a run (default: the cores that there are for each)")
    parser.add_argument("--only", nargs="+", help="these rows only")
    for flag, meaning in (flags or {}).items():
        parser.add_argument(flag, action="store_true", help=meaning)
    return parser.parse_args()


def build_corpus(options: argparse.Namespace, name: str, *words: str) -> Path:
    """The real corpus `name`, built where it is not there yet."""
    folder = options.corpora / name
    if not folder.exists():
        trace_lit("data", "build", "--out", str(folder), *words)
    return folder


def weather_corpus(options: argparse.Namespace) -> Path:
    """Real weather: New York and Houston, from TimeCAP."""
    source = ("--source", "timecap", "--root", str(options.root / "timecap"))
    return build_corpus(options, "weather-timecap", "--domain", "weather", *source)


def trace_lit(*words: str, log: Path | None = None, threads: int | None = None) -> None:
    """Run the command; what it says goes to `log`."""
    environment = dict(os.environ)
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-P", "-m", "trace_lit.cli", *words]
    if log is None:
        subprocess.run(command, check=True, env=environment)
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as out:
        done = subprocess.run(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed, see {log}")


def run_rows(options: argparse.Namespace, sweep: str, domain: str, rows: Sequence[Row]) -> dict[str, list[dict]]:
    """The metrics.json of every row's aligned runs, one a seed."""
    chosen = [row for row in rows if not options.only or row.name in options.only]
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.jobs)
    locks: dict[tuple[str, int], Lock] = {}
    for row in chosen:
        for seed in options.seeds:
            locks[row.shares or row.name, seed] = Lock()
    began = time.perf_counter()

    def one(row: Row, seed: int) -> dict:
        run = options.runs / domain / "align" / f"{sweep}-{row.name}-{seed}"
        log = options.runs / "logs" / f"{run.name}.txt"
        common = [f"run.dir={options.runs}", f"seed={seed}"]
        start = []
        if row.pretrain is not None:
            owner = row.shares or row.name
            name = f"{sweep}-{owner}-{seed}"
            pretrained = options.runs / domain / "pretrain" / name
            with locks[owner, seed]:
                if not (pretrained / "metrics.json").exists():
                    trace_lit(
                        "fit", *row.pretrain, *common, f"run.name={name}", "--overwrite", log=log, threads=threads
                    )
            start = [f"init_from={pretrained}"]
        if not evaluated(run):
            words = [*row.align, *common, f"run.name={run.name}", *start]
            trace_lit("fit", *words, "--overwrite", log=log, threads=threads)
            trace_lit("evaluate", str(run), log=log, threads=threads)
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        score = "  ".join(
            f"{key} {value:.3f}" for key, value in metrics.items() if key.endswith(PAIR) and "test" in key
        )
        print(f"{time.perf_counter() - began:6.0f} s  {row.title}, seed {seed}:  {score}", flush=True)
        return metrics

    with ThreadPoolExecutor(options.jobs) as pool:
        # Seeds first, so that a sweep that is stopped has whole columns.
        jobs = {(row.name, seed): pool.submit(one, row, seed) for seed in options.seeds for row in chosen}
        return {row.name: [jobs[row.name, seed].result() for seed in options.seeds] for row in chosen}


def evaluated(run: Path) -> bool:
    """Whether a run has its test metrics."""
    path = run / "metrics.json"
    return path.exists() and any(key.startswith("test/") for key in json.loads(path.read_text(encoding="utf-8")))


def spread(metrics: Sequence[dict], key: str, form: str = ".3f") -> str:
    """Mean ± deviation over seeds."""
    values = [run[key] for run in metrics if key in run]
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):{form}}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{deviation}"


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] + ["--:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines))


def write_section(name: str, title: str, body: str) -> None:
    """Put a section into RESULTS.md, in the place of its older self, with the command, date and commit."""
    if "--only" in sys.argv:
        print(f"{RESULTS.name} is written by the whole sweep, not with --only")
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True)
    words = [f"experiments/{Path(sys.argv[0]).name}", *sys.argv[1:]]
    for place in ("--root", "--runs", "--corpora"):  # where files lie is the reader's own affair
        if place in words:
            words[words.index(place) + 1] = "DIR"
    command = "python " + " ".join(words)
    stamp = f"`{command}`, {time.strftime('%Y-%m-%d')}, commit {commit.stdout.strip() or 'unknown'}"
    section = f"<!-- {name} -->\n## {title}\n\n{stamp}\n\n{body}\n<!-- /{name} -->\n"
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Results\n\n"
    begin, end = text.find(f"<!-- {name} -->"), text.find(f"<!-- /{name} -->")
    if begin >= 0 and end >= 0:
        text = text[:begin] + section + text[end + len(f"<!-- /{name} -->\n") :]
    else:
        text = text.rstrip("\n") + "\n\n" + section
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(RESULTS)
