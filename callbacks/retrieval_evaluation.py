"""Retrieval on the validation split while training; the best checkpoint is chosen by it."""

from __future__ import annotations

from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader

from data_modules.dataset import CorpusDataset
from data_modules.held_out import HeldOutStatements
from trace_lit.alignment import SearchSpace
from trace_lit.retrieval import Pool, embed_pool, evaluate_retrieval, evaluation_mode
from trace_lit.retrieval.questions import precision_and_average

MAIN = "text_to_series/pair/MRR"
STATEMENTS = "statements/AP"


class RetrievalEvaluation(L.Callback):
    """Embeds each validation corpus whenever validation runs and logs `validation/<direction>/<match>/<metric>`.

    With several corpora each has its own `validation/<corpus>/…`, and `validation/text_to_series/pair/MRR` is their mean.
    Where no window has a text, statements that were held out ask for them: `validation/statements/AP` and `…/P@10` are
    their mean average precision and precision over all corpora, `…/random` what a random ranker gets. Comes before a
    callback that swaps weights when validation ends. `pools` holds the last ones.
    """

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        loaders: list[DataLoader[Any]] = trainer.val_dataloaders  # type: ignore[assignment]
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        main, answers = [], []
        for number, (name, loader) in enumerate(zip(data.corpus_names, loaders, strict=True)):
            dataset = loader.dataset
            assert isinstance(dataset, CorpusDataset)
            pl_module.enter(number)
            space = SearchSpace(pl_module.model, dataset.corpus.info.channels)
            pool = embed_pool(space, loader, pl_module.device)
            self.pools[name] = pool
            if data.held_out:
                answers.append(_answers(space, data.held_out[number], pool, pl_module.device))
            if data.held_out and not any(dataset.texts):
                continue
            metrics = evaluate_retrieval(pool, bootstrap=0)
            prefix = "validation" if len(loaders) == 1 else f"validation/{name}"
            values = {
                f"{prefix}/{key}": value
                for key, value in metrics.items()
                if isinstance(value, float) and not key.startswith("random/")
            }
            pl_module.log_dict(values, rank_zero_only=False, sync_dist=False)
            if MAIN in metrics:
                main.append(values[f"{prefix}/{MAIN}"])
        if main and len(loaders) > 1:
            pl_module.log(f"validation/{MAIN}", sum(main) / len(main))
        if answers:
            means = np.concatenate(answers, axis=1).mean(1).tolist()
            names = ("AP", "P@10", "random")
            pl_module.log_dict(
                {f"validation/statements/{name}": mean for name, mean in zip(names, means, strict=True)},
                prog_bar=True,
            )


def _answers(space: SearchSpace, asked: HeldOutStatements, pool: Pool, device: Any) -> np.ndarray:
    """(3, S) average precision, P@10 and share of the windows that fit, of the statements that were held out."""
    if not len(asked):
        return np.zeros((3, 0))
    vectors, mask = asked.vectors()
    with evaluation_mode(space):
        texts = space.embed_text(vectors.to(device), mask.to(device)).float().cpu()
    precision, average = precision_and_average((texts @ pool.series.T).numpy(), asked.truth)
    return np.stack([average, precision, asked.truth.mean(1)])
