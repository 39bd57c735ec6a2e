"""`POST /forecast` and `/classify`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from trace_lit.service.asking import read_series
from trace_lit.service.bodies import body_of, read_body
from trace_lit.service.predicting import Prediction
from trace_lit.service.schemas import ClassifyResponse, ForecastResponse, PredictOptions, PredictRequest
from trace_lit.service.state import ReadyState, State
from trace_lit.service.windows import Json

router = APIRouter(tags=["predict"])
Options = Annotated[PredictOptions, Query()]


@router.post("/forecast", response_model=ForecastResponse, openapi_extra=body_of(PredictRequest))
async def forecast(state: ReadyState, request: Request, query: Options) -> Response:
    """What follows a series, or a window of a corpus, with quantiles and the earlier windows that it rests on."""
    return Json(await _predict(state, await read_body(request, PredictRequest, query), "forecast"))


@router.post("/classify", response_model=ClassifyResponse, openapi_extra=body_of(PredictRequest))
async def classify(state: ReadyState, request: Request, query: Options) -> Response:
    """The probabilities of the labels of a series, or of a window of a corpus."""
    return Json(await _predict(state, await read_body(request, PredictRequest, query), "classify"))


async def _predict(state: State, asked: PredictRequest, task: str) -> dict[str, Any]:
    predictor = state.served.predictor(asked.model, task)
    item: tuple[str, Any]
    if asked.id is not None:
        item = predictor.corpus_of(asked.id, asked.corpus), asked.id
    else:
        given = asked.series if asked.series is not None else asked.csv
        assert given is not None
        item = "", await asyncio.to_thread(read_series, given, predictor.run.channels, state.limits)
    made: Prediction = await state.batcher.one(predictor.predict, item)
    return {"model": predictor.name, **made.as_dict(asked.values)}
