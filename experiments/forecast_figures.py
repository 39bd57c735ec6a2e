"""A forecast, its band and what was retrieved for it, drawn for one window of each domain.

    python experiments/forecast_figures.py [--root DIR] [--out FOLDER] [--only DOMAIN …]

Without --root: the pictures of docs/, on the generated corpora and with the encoder of `make demo`, which must have been
run before; the answer to its question about the weather becomes docs/search.png. With it: real weather (TimeCAP),
influenza-like illness and gasoline prices (Time-MMD), each with an encoder aligned on its own training part; of their
reports the first few words are shown. What has been trained is not trained again. The window is the newest of the test split
that is observed in full and moves.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sweep import HERE, build_corpus

from data_modules.figures import save_figure
from trace_lit.inference.predict import Asked, predict_run
from trace_lit.inference.predictions import Predictions
from trace_lit.inference.show import draw_window
from trace_lit.runs.folder import read_metrics
from trace_lit.settings import load_config
from trace_lit.train import fit

WORDS = 9  # of a real report
DEMO = Path("demo")


@dataclass(frozen=True)
class Example:
    """What is drawn of a domain: words of `trace-lit fit` and of `trace-lit data build`."""

    window: str
    source: tuple[str, ...] = ()


GENERATED = {
    "weather": Example("{lookback: 36, horizon: 12, targets: [temperature, pressure, wind speed]}"),
    "healthcare": Example("{lookback: 36, horizon: 12, targets: [heart rate, respiratory rate, body temperature]}"),
    "energy": Example("{lookback: 36, horizon: 12, targets: [load, spot price, solar generation]}"),
}
ROWS = ("length=24", "stride=4", "target_only=true")
REAL = {
    "weather": Example("{stride: 24, targets: [air temperature, air pressure, wind speed]}", ("timecap",)),
    "healthcare": Example("{lookback: 32, horizon: 12, season: 52}", ("timemmd", "folder=Health_US", *ROWS)),
    "energy": Example("{lookback: 32, horizon: 12, season: 52}", ("timemmd", *ROWS)),
}
BAND = "head.quantiles=[0.1,0.25,0.5,0.75,0.9]"


def generated(domain: str, example: Example) -> Path:
    """The tuned run of a generated corpus."""
    retriever = DEMO / "runs" / "joint" / "align" / "demo"
    words = [f"data.corpus={DEMO / 'corpora' / domain}", f"data.cache_dir={DEMO / 'corpora'}", f"init_from={retriever}"]
    return tuned([HERE / "demo.yaml"], [*words, f"rag.retriever={retriever}", "run.name=figure"], example)


def real(options: argparse.Namespace, domain: str, example: Example) -> Path:
    """The tuned run of a real corpus."""
    source, *more = example.source
    where = ["--domain", domain, "--source", source, "--root", str(options.root / source)]
    corpus = build_corpus(options, f"{domain}-figure", *where, *more).absolute()
    words = [f"data.corpus={corpus}", f"run.dir={options.runs}", "run.name=figure"]
    retriever = options.runs / domain / "align" / "figure"
    if not read_metrics(retriever):
        fit(load_config([HERE / domain / "align.yaml"], words), overwrite=True)
    words += [f"init_from={retriever}", f"rag.retriever={retriever}"]
    return tuned([HERE / domain / "tune.yaml"], words, example)


def tuned(files: list[Path], words: list[str], example: Example) -> Path:
    rag = ["rag.mode=series+text", "rag.use_futures=true"]
    return fit(
        load_config(files, [*words, "stage=tune", f"window={example.window}", BAND, *rag]), overwrite=True
    ).folder


def newest_whole(predictions: Predictions) -> int:
    """The newest window without gaps in what is forecast, in which something happens: a gauge may have stood still."""
    whole = ~np.isnan(predictions.truth).any(axis=(1, 2))
    order = sorted(np.flatnonzero(whole).tolist(), key=lambda number: predictions.origins[number], reverse=True)
    for number in order:
        batch = predictions.dataset[[predictions.places[number]]]
        moves = (batch.values[0, predictions.targets].std(-1) > 0).all()
        if moves and batch.observed[0, predictions.targets].all():
            return number
    return predictions.newest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="has timecap, timemmd")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--corpora", type=Path, default=Path("corpora"))
    parser.add_argument("--only", nargs="+", choices=tuple(REAL), default=list(REAL), help="these domains only")
    options = parser.parse_args()
    if options.root is None and not (DEMO / "runs").is_dir():
        print("error: run `make demo` first, or name real data with --root", file=sys.stderr)
        return 2
    for domain in options.only:
        example = (GENERATED if options.root is None else REAL)[domain]
        run = generated(domain, example) if options.root is None else real(options, domain, example)
        predictions = predict_run(run, Asked())
        words = None if options.root is None else WORDS
        path = options.out / f"forecast-{domain}.png"
        save_figure(draw_window(predictions, newest_whole(predictions), words), path)
        keep_small(path, path)
    if options.root is None:
        keep_small(DEMO / "weather-answer.png", options.out / "search.png")
    return 0


def keep_small(picture: Path, path: Path) -> None:
    """Write a picture with few colours, which takes a third of the bytes."""
    Image.open(picture).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"drawn: {path}")


if __name__ == "__main__":
    sys.exit(main())
