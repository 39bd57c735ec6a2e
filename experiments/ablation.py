"""What each piece brings, on real weather (TimeCAP, New York and Houston).

    python experiments/ablation.py [--root DIR] [--seeds 0 1 2] [--jobs N]

Every row has the budget of the full model; rows differ in the one thing that they name. The table goes to RESULTS.md.
"""

from __future__ import annotations

from sweep import HERE, PAIR, Row, arguments, run_rows, spread, table, weather_corpus, write_section

PRETRAIN, ALIGN = str(HERE / "weather" / "pretrain.yaml"), str(HERE / "weather" / "align.yaml")
PAPER_ENCODER = [
    "encoder.patch_identity=false",
    "encoder.scale_tokens=false",
    "encoder.named_tokens=false",
]
PAPER_ALIGNMENT = [
    "data.jitter=0",
    "text.unit=document",
    "alignment.channel_score=false",
    "alignment.heads=linear",
    "alignment.fusion=true",
    "alignment.negatives=32",
    "alignment.all_negatives_share=0",
    "alignment.sentence_dropout=0",
    "alignment.noise=0",
    "optim.ema_decay=null",
]


def rows(corpus: str) -> list[Row]:
    def row(name: str, title: str, encoder: list[str], align: list[str], **more: str) -> Row:
        data = [f"data.corpus={corpus}"]
        return Row(name, title, [PRETRAIN, *data, *encoder], [ALIGN, *data, *encoder, *align], **more)

    return [
        row("full", "full model", [], []),
        row("noscale", "without scale-aware tokens", ["encoder.scale_tokens=false"], []),
        row(
            "nochannel",
            "without the channel level",
            [],
            ["alignment.channel_score=false", "alignment.channel_weight=0"],
            shares="full",
        ),
        row("fullattention", "full attention in place of CbA", ["encoder.channel_attention=full"], []),
        Row("nopretrain", "without pre-training", None, [ALIGN, f"data.corpus={corpus}"]),
        row("paper", "the paper's configuration, at this size", PAPER_ENCODER, PAPER_ALIGNMENT),
        row("document", "one vector a text, not a sentence", [], ["text.unit=document"], shares="full"),
    ]


def main() -> None:
    options = arguments(__doc__ or "")
    corpus = weather_corpus(options)
    chosen = rows(str(corpus))
    results = run_rows(options, "real", "weather", chosen)
    columns = {
        "text→series MRR": f"test/{PAIR}",
        "P@1": "test/text_to_series/pair/P@1",
        "P@5": "test/text_to_series/pair/P@5",
        "series→text MRR": "test/series_to_text/pair/MRR",
        "validation MRR": f"best/validation/{PAIR}",
    }
    lines = [
        [row.title, *(spread(results[row.name], key) for key in columns.values())]
        for row in chosen
        if row.name in results
    ]
    first = next(iter(results.values()))[0]
    note = (
        f"Test split, {first['test/pool/instances']} windows, mean ± deviation over seeds "
        f"{', '.join(map(str, options.seeds))}; chance is {first[f'test/random/{PAIR}']:.3f}."
    )
    write_section("ablation", "What each piece brings: real weather", note + "\n\n" + table(["", *columns], lines))


if __name__ == "__main__":
    main()
