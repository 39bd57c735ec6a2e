"""What mined hard negatives bring, on real weather (TimeCAP, New York and Houston).

    python experiments/mining.py [--root DIR] [--seeds 0 1 2] [--jobs N]

Every row trains for as many epochs from the same pre-trained encoder; rows differ in their negatives alone. The table
goes to RESULTS.md, with some of the mined pairs to read.
"""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from sweep import HERE, PAIR, Row, arguments, run_rows, spread, table, weather_corpus, write_section

from trace_lit.alignment import Instances, NegativeRules, mine_negatives
from trace_lit.inference.evaluate import open_run
from trace_lit.retrieval.metrics import rouge_l

PRETRAIN, ALIGN = str(HERE / "weather" / "pretrain.yaml"), str(HERE / "weather" / "align.yaml")
MRR, FIRST = f"test/{PAIR}", "test/text_to_series/pair/P@1"
MARGIN = 0.8  # of the positive's score, from which on a candidate is no negative


def rows(corpus: str) -> list[Row]:
    pretrain, align = [PRETRAIN, f"data.corpus={corpus}"], [ALIGN, f"data.corpus={corpus}"]

    def row(name: str, title: str, *words: str) -> Row:
        return Row(name, title, pretrain, [*align, *words], shares="full")

    chance, mined = "mining.every_n_epochs=null", ("mining.every_n_epochs=4",)
    aware, unaware = f"mining.relative_margin={MARGIN}", "mining.relative_margin=null"
    small = "data.batch_size=16"
    return [
        row("inbatch", "batch 64: all in-batch negatives", chance),
        row("top32", "batch 64: in-batch top 32", chance, "alignment.negatives=32"),
        row("unaware", "batch 64: mined, not positive-aware", *mined, unaware),
        row("aware", f"batch 64: mined, positive-aware ({MARGIN})", *mined, aware),
        row("small-inbatch", "batch 16: all in-batch negatives", small, chance),
        row("small-unaware", "batch 16: mined, not positive-aware", small, *mined, unaware),
        row("small-aware", f"batch 16: mined, positive-aware ({MARGIN})", small, *mined, aware),
    ]


def interval(metrics: list[dict], key: str) -> str:
    """The 95 % interval over queries, its bounds averaged over seeds."""
    low, high = (statistics.mean(run[f"{key}/ci95"][end] for run in metrics) for end in (0, 1))
    return f"{low:.3f} to {high:.3f}"


def mined_pairs(run: Path, count: int = 6) -> str:
    """Anchors that another window answers better than their own: that window, and the hardest one below the margin.

    Windows are described by their place, time and mean values; the reports are upstream's.
    """
    opened = open_run(run)
    ((dataset, pool),) = opened.embed("train").values()
    batch = dataset[list(range(len(dataset)))]
    instances = Instances(batch.text_id, batch.window, batch.label)
    every = torch.arange(len(pool))
    hardest, below = (
        mine_negatives(pool.text, pool.series, every, instances, 1, NegativeRules(relative_margin=margin))
        for margin in (None, MARGIN)
    )
    units = [f"{channel.name} [{channel.unit}]" for channel in dataset.corpus.info.channels]

    def cells(kind: str, place: int, score: float, anchor: int) -> list[str]:
        time = datetime.fromtimestamp(int(batch.span[place, 0]), UTC)
        common = rouge_l(dataset.texts[anchor], dataset.texts[place])
        means = [f"{value:.1f}" for value in np.nanmean(dataset.values[place], axis=1)]
        return [
            kind,
            dataset.corpus.ids[dataset.rows[place]],
            f"{time:%Y-%m-%d}",
            f"{score:.3f}",
            f"{common:.2f}",
            *means,
        ]

    lines = []
    outranked = (hardest.score[:, 0] > hardest.positive).nonzero().squeeze(1)
    for anchor in outranked[torch.linspace(0, len(outranked) - 1, count).long()].tolist():
        lines.append(cells("anchor", anchor, float(hardest.positive[anchor]), anchor))
        for kind, mined in (("hardest", hardest), ("below the margin", below)):
            lines.append(cells(kind, int(mined.index[anchor, 0]), float(mined.score[anchor, 0]), anchor))
    return table(["", "window", "day", "score", "ROUGE-L", *units], lines)


def main() -> None:
    options = arguments(__doc__ or "")
    corpus = weather_corpus(options)
    chosen = rows(str(corpus))
    results = run_rows(options, "real", "weather", chosen)
    header = ["", "MRR", "95 %", "P@1", "95 %", "validation MRR", "mining s", "share of training", "training s"]
    lines = [
        [
            row.title,
            spread(results[row.name], MRR),
            interval(results[row.name], MRR),
            spread(results[row.name], FIRST),
            interval(results[row.name], FIRST),
            spread(results[row.name], f"best/validation/{PAIR}"),
            spread(results[row.name], "fit/mining_seconds", ".1f"),
            spread(results[row.name], "fit/mining_share"),
            spread(results[row.name], "fit/seconds", ".0f"),
        ]
        for row in chosen
        if row.name in results
    ]
    note = (
        f"Text to series, pair match, test split; mean ± deviation over seeds {', '.join(map(str, options.seeds))}; "
        "the intervals are over queries, their bounds averaged over seeds."
    )
    pairs = (
        "Some training reports that another window answers better than their own (model mined with batch 64, "
        f"positive-aware, seed {options.seeds[0]}): their own window, that other one, and the hardest below the margin. "
        "The score is the report's with the window; ROUGE-L compares the reports; then the windows' mean values."
    )
    run = options.runs / "weather" / "align" / f"real-aware-{options.seeds[0]}"
    body = "\n\n".join([note, table(header, lines), pairs, mined_pairs(run)])
    write_section("mining", "Hard negatives: real weather", body)


if __name__ == "__main__":
    main()
