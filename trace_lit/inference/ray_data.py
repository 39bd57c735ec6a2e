"""Embedding with Ray Data: the same parts, made by whatever workers a Ray cluster has.

    import ray
    from trace_lit.inference.ray_data import embed_parts_with_ray

    ray.init()  # or ray.init(address="auto") on a cluster
    embed_parts_with_ray("runs/weather/align/first", ["corpora/weather"], "parts", workers=4, gpus=1)

Workers read the corpora and write the parts themselves, so the paths are to be the same on all machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trace_lit.config import ConfigError
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.load import load_as
from trace_lit.inference.parts import Parts, begin_parts, embed_block
from trace_lit.inference.space import open_corpora


class _Worker:
    """A process of Ray that has the model and the corpora open."""

    def __init__(self, run: str, corpora: Sequence[str], out: str, device: str | None) -> None:
        from trace_lit.inference.load import load

        model = load(run, device)
        assert isinstance(model, AlignedRun)
        self.model, self.opened, self.parts = model, open_corpora(corpora), Parts(Path(out))

    def __call__(self, batch: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        for number in batch["part"].tolist():
            self.parts.write(number, *embed_block(self.model, self.parts, self.opened, number))
        return batch


def embed_parts_with_ray(
    run: str | Path, corpora: Sequence[str | Path], out: str | Path, *, workers: int = 2, gpus: float = 0
) -> Parts:
    """Embed what is missing in the folder of parts `out`, see `embed_parts`, by workers of the Ray that is connected.

    Parameters
    ----------
    workers
        Processes that have the model.
    gpus
        That each of them has.

    Raises
    ------
    ConfigError
        The extra `ray` is not installed.
    RetrievalError
        `out` holds parts of another model or of other corpora.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f"Ray Data needs the extra ray ({error}): pip install trace_lit[ray]") from None
    places = [str(Path(own).resolve()) for own in corpora]
    parts = begin_parts(load_as(run, AlignedRun, "align"), open_corpora(places), Path(out))
    if not (missing := parts.missing()):
        return parts
    where: dict[str, Any] = {"num_gpus": gpus} if gpus else {"num_cpus": 1}
    made = ray.data.from_items([{"part": number} for number in missing]).map_batches(
        _Worker,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(missing))),
        fn_constructor_args=(str(Path(run).resolve()), places, str(Path(out).resolve()), "cuda" if gpus else "cpu"),
        **where,
    )
    made.materialize()
    return parts
