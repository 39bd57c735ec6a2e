"""Forecasts of Health_US and Energy (Time-MMD) by the literature's protocol, beside the baselines.

    python experiments/forecast.py [--root DIR] [--seeds 0 1 2 3 4] [--only NAME …]

The first 70 % of the weeks are for training, the last 20 % for the test; scores are on the scale that the training part
standardises. What is chosen is chosen without the test part: penalties by blocks of training and validation weeks,
epochs by validation. The encoder is pre-trained on the training windows, frozen, and given a linear head in closed form,
or tuned with it ("in full") by gradient steps, their rate chosen on validation; a mean is of these two, half and half.
"+ calendar" sees the time of year, "+ other channels" patients by age and providers, too; "+ refit" solves its head from
the validation windows as well. The seasonal naive forecast looks back a year at least, from the same origins. The table
goes to RESULTS.md; how much is tuned is the affair of `light_tuning.py`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from sweep import HERE, arguments, build_corpus, evaluated, spread, table, write_section

from trace_lit.inference import evaluate_mean, evaluate_run
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

SETS = {"health_us": ("healthcare", "Health_US", (32,)), "energy": ("energy", "Energy", (32, 96))}
HORIZONS = (12, 48)
CALENDAR = ("head.calendar=2",)
TARGET = "window.targets=[influenza-like illness]"  # of all channels of Health_US
REFIT = ("head.refit=true",)
FULL = (
    "tune={scope: full, encoder_rate: 1}",
    "head={solver: sgd}",
    "trainer.max_epochs=20",
    "optim.learning_rate=1e-2",
)
EPOCHS = "evaluation.every_n_epochs=2"
BASELINE = ("window.augmentation_scales=[]",)  # of the closed form alone
LINEAR = (*BASELINE, "trainer.max_epochs=30", EPOCHS, "optim.learning_rate=1e-2", "optim.weight_decay=0")


@dataclass(frozen=True)
class Way:
    """A line of the tables: a way to forecast."""

    name: str  # of its runs, too
    title: str
    words: tuple[str, ...] = ()
    pretrained: bool = False
    seeded: bool = True  # another seed gives other forecasts
    sets: tuple[str, ...] = tuple(SETS)
    least: int = 1  # of the look-back
    mean: tuple[str, ...] = ()  # of what these other ways say
    channels: bool = False  # it sees the other channels, too


WAYS = [
    Way("naive", "naive", ("tune.model=naive", *BASELINE), seeded=False),
    Way("seasonal", "seasonal naive", ("tune.model=seasonal_naive", *BASELINE), seeded=False, least=52),
    Way("nlinear", "NLinear", ("tune.model=nlinear", *LINEAR)),
    Way("dlinear", "DLinear", ("tune.model=dlinear", *LINEAR)),
    Way(
        "patchtst",
        "PatchTST",
        ("tune.model=patchtst", *BASELINE, "trainer.max_epochs=20", EPOCHS, "optim.learning_rate=1e-2"),
    ),
    Way("random", "TRACE, encoder not trained, ridge head"),
    Way("trace", "TRACE, ridge head", pretrained=True),
    Way("refit", "TRACE, ridge head + refit", REFIT, pretrained=True, sets=("health_us",)),
    Way("full", "TRACE, tuned in full", FULL, pretrained=True, sets=("health_us",)),
    Way("calendar", "TRACE + calendar, ridge head", CALENDAR, pretrained=True),
    Way(
        "calendar-full",
        "TRACE + calendar, tuned in full",
        (*CALENDAR, *FULL),
        pretrained=True,
        sets=("health_us",),
    ),
    Way("mean", "TRACE, mean of both", mean=("trace", "full"), sets=("health_us",)),
    Way(
        "calendar-mean",
        "TRACE + calendar, mean of both",
        mean=("calendar", "calendar-full"),
        sets=("health_us",),
    ),
    Way(
        "channels",
        "TRACE + calendar + other channels, ridge head",
        CALENDAR,
        pretrained=True,
        sets=("health_us",),
        channels=True,
    ),
    Way(
        "channels-full",
        "TRACE + calendar + other channels, tuned in full",
        (*CALENDAR, *FULL),
        pretrained=True,
        sets=("health_us",),
        channels=True,
    ),
    Way(
        "channels-mean",
        "TRACE + calendar + other channels, mean of both",
        mean=("channels", "channels-full"),
        sets=("health_us",),
    ),
    Way(
        "calendar-refit",
        "TRACE + calendar, ridge head + refit",
        (*CALENDAR, *REFIT),
        pretrained=True,
        sets=("health_us",),
    ),
]


def corpus_of(name: str, channels: bool, options: argparse.Namespace) -> Path:
    """The windows of a set, of all its channels or of its target alone, built where they are not there yet."""
    domain, folder, _ = SETS[name]
    source = ["--domain", domain, "--source", "timemmd", "--root", str(options.root / "timemmd")]
    windows = [f"folder={folder}", "length=32", "stride=1"]
    if channels:
        return build_corpus(options, f"{name}-all-weeks", *source, *windows).absolute()
    return build_corpus(options, f"{name}-weeks", *source, *windows, "target_only=true").absolute()


def scores(way: Way, name: str, lookback: int, horizon: int, seed: int, options: argparse.Namespace) -> dict:
    """The metrics of one run, or of the mean of some."""
    if not way.mean:
        return read_metrics(run(way, name, lookback, horizon, seed, options))
    parts = [other for other in WAYS if other.name in way.mean]
    return evaluate_mean([run(part, name, lookback, horizon, seed, options) for part in parts])


def run(way: Way, name: str, lookback: int, horizon: int, seed: int, options: argparse.Namespace) -> Path:
    """One run, fitted and evaluated where that has not been done."""
    domain = SETS[name][0]
    common = [f"data.corpus={corpus_of(name, way.channels, options)}", f"run.dir={options.runs}", f"seed={seed}"]
    target = [TARGET] if way.channels else []
    files = [HERE / "forecast" / f"{name}.yaml"]
    start: list[str] = []
    if way.pretrained:
        pretrained = options.runs / domain / "pretrain" / (f"{name}-all-{seed}" if way.channels else f"{name}-{seed}")
        if not (pretrained / "metrics.json").exists():
            fit(load_config(files, [*common, f"run.name={pretrained.name}"]), overwrite=True)
        start = [f"init_from={pretrained}"]
    folder = options.runs / domain / "tune" / f"{name}-{way.name}-{lookback}-{horizon}-{seed}"
    if not evaluated(folder):
        words = [
            *common,
            *start,
            *target,
            *way.words,
            f"window.lookback={max(lookback, way.least)}",
            f"window.horizon={horizon}",
        ]
        fit(load_config(files, [*words, "stage=tune", f"run.name={folder.name}"]), overwrite=True)
        evaluate_run(folder)
    return folder


def forecasts(name: str, lookback: int, options: argparse.Namespace) -> str:
    """The table of all ways at one look-back."""
    lines = []
    for way in WAYS:
        if name not in way.sets or (options.only and way.name not in options.only):
            continue
        seeds = options.seeds if way.seeded else options.seeds[:1]
        cells = []
        for horizon in HORIZONS:
            found = [scores(way, name, lookback, horizon, seed, options) for seed in seeds]
            form = ".4f" if name == "energy" else ".3f"
            cells += [spread(found, f"test/{metric}", form) for metric in ("MAE", "MSE")]
            cells += [spread(found, "test/MASE"), spread(found, "cv/geometric_mean", form)]
        lines.append([way.title, *cells])
        print(f"{name}, look-back {lookback}: {' | '.join(lines[-1])}", flush=True)
    columns = [f"{metric}, H={horizon}" for horizon in HORIZONS for metric in ("MAE", "MSE", "MASE", "cv")]
    return f"{SETS[name][1]}, look-back {lookback}:\n\n{table(['', *columns], lines)}"


def main() -> None:
    options = arguments(__doc__ or "", seeds=[0, 1, 2, 3, 4])
    torch.set_num_threads(max(1, options.jobs))
    parts = [forecasts(name, lookback, options) for name, (_, _, lookbacks) in SETS.items() for lookback in lookbacks]
    seeds = ", ".join(map(str, options.seeds))
    note = (
        f"Mean ± deviation over seeds {seeds}, on the standardised scale. cv is the geometric mean of the squared errors "
        "of five blocks of training and validation weeks, each predicted from the others, by which the penalty of the "
        "ridge is chosen; of Health_US it counts the weeks in which somebody reported."
    )
    write_section("forecast", "Forecasting", "\n\n".join([note, *parts]))


if __name__ == "__main__":
    main()
