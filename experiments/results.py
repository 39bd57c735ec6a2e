"""The measured domains on real data, each on its own and all three with one common encoder.

    python experiments/results.py [--root DIR] [--seeds 0 1 2] [--jobs N]

Weather and healthcare are of TimeCAP, energy is of Time-MMD. Beside the runs stand chance and a ridge regression from the
window to the text vector, its strength chosen on validation. The table goes to RESULTS.md.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from sweep import HERE, PAIR, Row, arguments, build_corpus, run_rows, spread, table, write_section

from data_modules import DomainDataModule
from data_modules.config import DataConfig
from trace_lit.settings import load_config
from trace_lit.text import build_text_encoder

SOURCES = {"weather": "timecap", "healthcare": "timecap", "energy": "timemmd"}


def ridge_mrr(corpus: Path) -> float:
    """Test text→series pair MRR of a ridge regression from the standardised window to the text's vector."""
    config = load_config()
    data = DomainDataModule(DataConfig(corpus=str(corpus)), build_text_encoder(config.text), text_unit="document")
    data.setup("fit")
    parts = {}
    for split, (dataset,) in data.datasets.items():
        batch = dataset[list(range(len(dataset)))]
        kept = batch.has_text
        parts[split] = (batch.values[kept].flatten(1).double(), batch.text[kept, 0].double(), batch.text_id[kept])
    series, text, _ = parts["train"]
    mean, deviation, centre = series.mean(0), series.std(0) + 1e-6, text.mean(0)

    def mrr(weights: torch.Tensor, split: str) -> float:
        series, text, ids = parts[split]
        guess = F.normalize(((series - mean) / deviation) @ weights, dim=1)
        score = F.normalize(text - centre, dim=1) @ guess.T
        pair = (ids[:, None] == ids).double()
        own = (score * pair - 2 * (1 - pair)).max(1, keepdim=True).values
        return float((1 / ((score > own) & (pair == 0)).sum(1).add(1)).mean())

    standard = (series - mean) / deviation
    gram, target = standard.T @ standard, standard.T @ (text - centre)
    strengths = [10.0**power for power in range(-1, 6)]
    solutions = [torch.linalg.solve(gram + s * torch.eye(len(gram), dtype=gram.dtype), target) for s in strengths]
    return mrr(max(solutions, key=lambda weights: mrr(weights, "validation")), "test")


def main() -> None:
    options = arguments(__doc__ or "")
    corpora = {
        domain: build_corpus(
            options, f"{domain}-{source}", "--domain", domain, "--source", source, "--root", str(options.root / source)
        )
        for domain, source in SOURCES.items()
    }
    own = {}
    for domain, corpus in corpora.items():
        stages = [[str(HERE / domain / f"{stage}.yaml"), f"data.corpus={corpus}"] for stage in ("pretrain", "align")]
        own[domain] = run_rows(options, "real", domain, [Row("full", domain, *stages)])["full"]
    everything = f"data.corpus=[{','.join(map(str, corpora.values()))}]"
    stages = [[str(HERE / "joint" / f"{stage}.yaml"), everything] for stage in ("pretrain", "align")]
    options.seeds, seeds = options.seeds[:1], options.seeds  # one joint run
    joint = run_rows(options, "real", "joint", [Row("full", "joint", *stages)])["full"]

    lines = []
    for domain, corpus in corpora.items():
        runs = own[domain]
        lines.append(
            [
                f"{domain} ({SOURCES[domain]})",
                str(runs[0]["test/pool/instances"]),
                str(runs[0]["test/pool/distinct_texts"]),
                f"{runs[0][f'test/random/{PAIR}']:.3f}",
                f"{ridge_mrr(corpus):.3f}",
                *(spread(runs, f"test/text_to_series/pair/{name}") for name in ("MRR", "P@1", "P@5")),
                spread(runs, "test/series_to_text/pair/MRR"),
                spread(runs, "test/text_to_series/label/P@1"),
                spread(joint, f"test/{domain}/{PAIR}"),
                spread(joint, f"test/{domain}/text_to_series/label/P@1"),
            ]
        )
    header = [
        "domain",
        "test windows",
        "texts",
        "chance",
        "ridge",
        "text→series MRR",
        "P@1",
        "P@5",
        "series→text MRR",
        "label P@1",
        "joint run: MRR",
        "joint run: label P@1",
    ]
    note = f"Pair MRR unless stated otherwise; mean ± deviation over seeds {', '.join(map(str, seeds))}."
    note += f" The joint run is one, with seed {seeds[0]}."
    seconds = {d: spread(r, "fit/seconds").split(" ")[0] for d, r in (own | {"joint": joint}).items()}
    took = ", ".join(f"{domain} {float(value):.0f} s" for domain, value in seconds.items())
    note += f" Alignment took, on one core a run: {took}."
    write_section("domains", "Three real domains, alone and together", note + "\n\n" + table(header, lines))


if __name__ == "__main__":
    main()
