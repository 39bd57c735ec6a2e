"""`GET /instances/{id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from trace_lit.retrieval import Hit
from trace_lit.service.bodies import files_of
from trace_lit.service.errors import ServiceError
from trace_lit.service.schemas import Format, HitModel, InstanceQuery
from trace_lit.service.searchable import Searchable
from trace_lit.service.state import ReadyState
from trace_lit.service.windows import Json

router = APIRouter(tags=["search"])


@router.get("/instances/{id:path}", response_model=HitModel, responses=files_of("text/csv", "image/png"))
async def instance(state: ReadyState, id: str, query: Annotated[InstanceQuery, Query()]) -> Response:
    """A window of a corpus: its values, text and label, or its picture."""
    if len(id) > 500:
        raise ServiceError("an id has at most 500 characters")
    searchable = state.served.searchable(query.corpus)
    hit = await state.batcher.alone(lambda: searchable.find(id))
    if query.format is Format.PNG:
        return Response(await state.draw(lambda: _picture(searchable, hit)), media_type="image/png")
    values = searchable.values(hit)
    if query.format is Format.JSON:
        return Json(hit.as_dict() | {"values": values})
    import pandas as pd

    table = pd.DataFrame({"time": values["times"], **values["channels"]}).to_csv(index=False)
    return Response(table, media_type="text/csv")


def _picture(searchable: Searchable, hit: Hit) -> bytes:
    from data_modules.figures import instances_figure, picture

    corpora = searchable.corpora()
    return picture(instances_figure(corpora.get(hit.corpus) or next(iter(corpora.values())), [hit.row]))
