"""`GET /instances/{id}`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from trace_lit.retrieval import Hit
from trace_lit.service.errors import ServiceError
from trace_lit.service.schemas import HitModel
from trace_lit.service.searchable import Searchable
from trace_lit.service.state import ReadyState
from trace_lit.service.windows import Json

router = APIRouter(tags=["search"])


class Format(StrEnum):
    """In which form a window is given."""

    JSON = "json"
    CSV = "csv"
    PNG = "png"


@router.get("/instances/{id:path}", response_model=HitModel)
async def instance(
    state: ReadyState,
    id: str,
    corpus: Annotated[str | None, Query(description="The first by default.")] = None,
    format: Format = Format.JSON,
) -> Response:
    """A window of a corpus: its values, text and label, or its picture."""
    if len(id) > 500:
        raise ServiceError("an id has at most 500 characters")
    searchable = state.served.searchable(corpus)
    hit = await state.batcher.alone(lambda: searchable.find(id))
    if format is Format.PNG:
        return Response(await state.draw(lambda: _picture(searchable, hit)), media_type="image/png")
    values = searchable.values(hit)
    if format is Format.JSON:
        return Json(hit.as_dict() | {"values": values})
    import pandas as pd

    table = pd.DataFrame({"time": values["times"], **values["channels"]}).to_csv(index=False)
    return Response(table, media_type="text/csv")


def _picture(searchable: Searchable, hit: Hit) -> bytes:
    from data_modules.figures import instances_figure, picture

    corpora = searchable.corpora()
    return picture(instances_figure(corpora.get(hit.corpus) or next(iter(corpora.values())), [hit.row]))
