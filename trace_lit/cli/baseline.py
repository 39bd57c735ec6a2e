"""`trace-lit baseline`: fit what the tuned encoder is compared with."""

from __future__ import annotations

import argparse

from trace_lit.cli import fit
from trace_lit.cli.trust import add_trust
from trace_lit.models import BASELINES, CLASSIFIERS, RETRIEVED_MEAN


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    baselines = (*BASELINES, *CLASSIFIERS, RETRIEVED_MEAN)
    baseline = jobs.add_parser("baseline", help="fit a baseline of the tuned encoder, as fit stage=tune does")
    baseline.add_argument("name", choices=baselines, metavar="NAME", help=", ".join(baselines))
    baseline.add_argument(
        "words", nargs="*", metavar="FILE.yaml|key=value", help="as of fit; run.name is NAME by default"
    )
    baseline.add_argument(
        "--resume", metavar="auto|CKPT", help="go on from the run's last checkpoint, or from this one"
    )
    baseline.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    baseline.add_argument("--print-config", action="store_true", help="print the merged configuration and stop")
    add_trust(baseline)
    baseline.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Fit the baseline, as `fit stage=tune` does."""
    named = any(word.startswith("run.name=") for word in options.words)
    first = [
        "window.augmentation_scales=[]",
        "head.refit=false",
        "head.solver=ridge",
    ]  # files are those of the tuned model; words that follow are meant
    if options.name != RETRIEVED_MEAN:  # which does both
        first.append(f"tune.task={'forecast' if options.name in BASELINES else 'classify'}")
    options.words[:0] = first
    options.words += ["stage=tune", f"tune.model={options.name}", "init_from=null"]
    options.words += [] if named else [f"run.name={options.name}"]
    return fit.run(options)
