"""Retrieval on the validation split while training; the best checkpoint is chosen by it."""

from __future__ import annotations

from typing import Any

import lightning as L
from torch.utils.data import DataLoader

from data_modules.dataset import CorpusDataset
from trace_lit.alignment import SearchSpace
from trace_lit.retrieval import Pool, embed_pool, evaluate_retrieval

MAIN = "text_to_series/pair/MRR"


class RetrievalEvaluation(L.Callback):
    """Embeds each validation corpus whenever validation runs and logs `validation/<direction>/<match>/<metric>`.

    With several corpora each has its own `validation/<corpus>/…`, and `validation/text_to_series/pair/MRR` is their mean.
    Comes before a callback that swaps weights when validation ends. `pools` holds the last ones.
    """

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        loaders: list[DataLoader[Any]] = trainer.val_dataloaders  # type: ignore[assignment]
        names = trainer.datamodule.corpus_names  # type: ignore[attr-defined]
        main = []
        for name, loader in zip(names, loaders, strict=True):
            dataset = loader.dataset
            assert isinstance(dataset, CorpusDataset)
            space = SearchSpace(pl_module.model, dataset.corpus.info.channels)
            pool = embed_pool(space, loader, pl_module.device)
            self.pools[name] = pool
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
