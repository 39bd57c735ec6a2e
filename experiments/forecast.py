"""Forecasts of Health_US and Energy (Time-MMD) by the literature's protocol, beside the baselines.

    python experiments/forecast.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

The first 70 % of the weeks are for training, the last 20 % for the test; scores are on the scale that the training part
standardises. What is chosen (penalties, epochs) is chosen without the test part. The encoder is pre-trained on the
training windows, frozen, and given a linear head in closed form; "+ calendar" sees the time of year. The table goes to
RESULTS.md.
"""

from __future__ import annotations

from pathlib import Path

import torch
from sweep import HERE, Row, arguments, build_corpus, evaluated, spread, table, write_section

from trace_lit.config import load_config
from trace_lit.train import evaluate_run, fit
from trace_lit.train.runs import read_metrics

SETS = {"health_us": ("healthcare", "Health_US", (32,)), "energy": ("energy", "Energy", (32, 96))}
HORIZONS = (12, 48)
CALENDAR = ("encoder.calendar=true", "tune.calendar=2")
BY_STEPS = ("trainer.max_epochs=60", "evaluation.every_n_epochs=2")
LINEAR = ("optim.learning_rate=1e-2", "optim.weight_decay=0")
NAIVE = ("naive", "seasonal_naive")
ROWS = [
    *(Row(name, name.replace("_", " "), None, [f"tune.model={name}"]) for name in NAIVE),
    *(
        Row(name, title, None, [f"tune.model={name}", *BY_STEPS, *extra])
        for name, title, extra in (
            ("nlinear", "NLinear", LINEAR),
            ("dlinear", "DLinear", LINEAR),
            ("patchtst", "PatchTST", ()),
        )
    ),
    Row("random", "TRACE, not trained, ridge head", None, []),
    Row("trace", "TRACE, ridge head", [], []),
    Row("calendar", "TRACE + calendar, ridge head", CALENDAR[:1], CALENDAR),
]


def run(row: Row, name: str, corpus: Path, lookback: int, horizon: int, seed: int, runs: Path) -> dict:
    """The metrics of one run, fitted and evaluated where that has not been done."""
    domain = SETS[name][0]
    common = [f"data.corpus={corpus}", f"run.dir={runs}", f"seed={seed}"]
    files = [HERE / "forecast" / f"{name}.yaml"]
    start = []
    if row.pretrain is not None:
        pretrained = runs / domain / "pretrain" / f"{name}-{row.name}-{seed}"
        if not (pretrained / "metrics.json").exists():
            fit(load_config(files, [*common, *row.pretrain, f"run.name={pretrained.name}"]), overwrite=True)
        start = [f"init_from={pretrained}"]
    folder = runs / domain / "tune" / f"{name}-{row.name}-{lookback}-{horizon}-{seed}"
    if not evaluated(folder):
        words = [*common, *start, *row.align, f"tune.lookback={lookback}", f"tune.horizon={horizon}"]
        fit(load_config(files, [*words, "stage=tune", f"run.name={folder.name}"]), overwrite=True)
        evaluate_run(folder)
    return read_metrics(folder)


def main() -> None:
    options = arguments(__doc__ or "", seeds=[0, 1, 2, 3, 4])
    torch.set_num_threads(max(1, options.jobs))
    parts = []
    for name, (domain, folder, lookbacks) in SETS.items():
        source = ["--domain", domain, "--source", "timemmd", "--root", str(options.root / "timemmd")]
        windows = [f"folder={folder}", "length=32", "stride=1", "target_only=true"]
        corpus = build_corpus(options, f"{name}-weeks", *source, *windows).absolute()
        for lookback in lookbacks:
            lines = []
            for row in ROWS:
                if options.only and row.name not in options.only:
                    continue
                seeds = options.seeds[:1] if row.name in NAIVE else options.seeds
                cells = []
                for horizon in HORIZONS:
                    found = [run(row, name, corpus, lookback, horizon, seed, options.runs) for seed in seeds]
                    cells += [spread(found, f"test/{metric}") for metric in ("MAE", "MSE", "MASE")]
                    cells.append(spread(found, "cv/MSE"))
                lines.append([row.title, *cells])
                print(f"{name}, look-back {lookback}: {' | '.join(lines[-1])}", flush=True)
            header = [
                "",
                *(f"{metric}, H={horizon}" for horizon in HORIZONS for metric in ("MAE", "MSE", "MASE", "cv MSE")),
            ]
            parts.append(f"{folder}, look-back {lookback}:\n\n{table(header, lines)}")
    note = (
        f"Mean ± deviation over seeds {', '.join(map(str, options.seeds))}, on the standardised scale. cv MSE is the error "
        "over blocks of training and validation weeks that chose the penalty of the ridge."
    )
    write_section("forecast", "Forecasting", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
