"""`POST /embed` and `/v1/embeddings`."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from trace_lit.inference import AlignedRun
from trace_lit.service.asking import as_list, check_text, read_series
from trace_lit.service.batching import Work
from trace_lit.service.errors import ServiceError
from trace_lit.service.schemas import EmbedRequest, OpenAIRequest, OpenAIResponse
from trace_lit.service.state import ReadyState, State
from trace_lit.service.windows import Json

router = APIRouter(tags=["embed"])


@router.post("/embed", response_model=list[list[float]])
async def embed(state: ReadyState, asked: EmbedRequest) -> Response:
    """Unit vectors, one a text or series; their inner products are scores.

    Those of one corpus can be compared: a vector has a part for the window and, mostly, one for each of its channels.
    """
    if asked.corpus is not None and asked.model is not None:
        raise ServiceError("give one of corpus and model")
    texts = None if asked.inputs is None else as_list(asked.inputs, state.limits)
    series = None if asked.series is None else as_list(asked.series, state.limits)
    return Json(await _embed(state, asked.corpus, asked.model, texts, series))


@router.post("/v1/embeddings", response_model=OpenAIResponse)
async def embeddings(state: ReadyState, asked: OpenAIRequest) -> Response:
    """Vectors in the form of OpenAI's API, of texts or series."""
    items = as_list(asked.input, state.limits)
    texts = [item for item in items if isinstance(item, str)]
    series = [item for item in items if not isinstance(item, str)]
    named = asked.model or None
    is_corpus = named is None or named in state.served.searchables
    vectors = await _embed(state, named if is_corpus else None, None if is_corpus else named, texts or None, series)
    if asked.dimensions not in (None, vectors.shape[1]):
        raise ServiceError(f"dimensions is {asked.dimensions}; the vectors have {vectors.shape[1]}")
    base64_wanted = asked.encoding_format == "base64"
    read = sum(len(text.split()) for text in texts)
    read += sum(len(next(iter(own.channels.values()))) for own in series)
    found = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": place, "embedding": _base64(vector) if base64_wanted else vector}
            for place, vector in enumerate(vectors)
        ],
        "model": asked.model or next(iter([*state.served.searchables, *state.served.runs])),
        "usage": {"prompt_tokens": read, "total_tokens": read},
    }
    return Json(found)


async def _embed(
    state: State, corpus: str | None, model: str | None, texts: list[str] | None, series: list[Any] | None
) -> NDArray[np.float32]:
    """The vectors of texts or series for a corpus, or of a run that searches none."""
    if model is None and (corpus is not None or state.served.searchables):
        searchable = state.served.searchable(corpus)
        channels = searchable.info.channels
        work: Work = searchable.embed_series if texts is None else searchable.embed_texts
    else:
        run = state.served.run(model) if model is not None else next(iter(state.served.runs.values()))
        if not run.channels:
            known = ", ".join(state.served.searchables) or "none"
            raise ServiceError(
                f"this model has no channels of its own, so its vectors are about those of a corpus; there are: {known} "
                "(give corpus in the place of model)"
            )
        channels, work = run.channels, run.embed_series
        if texts is not None:
            if not isinstance(run, AlignedRun):
                raise ServiceError(f"this run is of stage {run.stage}, which has no vectors of texts; give series")
            work = run.embed_text
    if texts is not None:
        for text in texts:
            check_text(text, state.limits)
        return np.stack(await state.batcher.each(work, texts))
    windows = await asyncio.to_thread(lambda: [read_series(own, channels, state.limits) for own in series or []])
    return np.stack(await state.batcher.each(work, windows))


def _base64(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(np.ascontiguousarray(vector, "<f4").tobytes()).decode()
