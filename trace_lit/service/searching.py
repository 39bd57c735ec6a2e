"""`POST /search`."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from trace_lit.service.asking import question_of
from trace_lit.service.bodies import body_of, files_of, read_body
from trace_lit.service.errors import ServiceError
from trace_lit.service.report import answer_dict, report_html
from trace_lit.service.schemas import HitsFormat, SearchQuery, SearchRequest, SearchResponse
from trace_lit.service.searchable import Answer, Question, Searchable
from trace_lit.service.state import ReadyState, State
from trace_lit.service.windows import Json

router = APIRouter(tags=["search"])


@router.post(
    "/search",
    response_model=SearchResponse,
    responses=files_of("text/csv", "image/png", "text/html"),
    openapi_extra=body_of(SearchRequest),
)
async def search(state: ReadyState, request: Request, query: Annotated[SearchQuery, Query()]) -> Response:
    """Find the windows that answer a question in words, are like a series, or like a window of the corpus."""
    asked = await read_body(request, SearchRequest, query)
    searchable = state.served.searchable(asked.corpus)
    question = await asyncio.to_thread(question_of, asked, searchable.info.channels, state.limits)
    began = time.perf_counter()
    answer: Answer = await state.batcher.one(searchable.answer, question)
    seconds = time.perf_counter() - began
    if query.format is HitsFormat.CSV:
        table = answer.hits.to_frame().to_csv(index=False)
        return Response(table, media_type="text/csv", headers=_file(searchable, "csv"))
    if query.format is HitsFormat.PNG:
        return await _picture(state, searchable, question, answer)
    values = asked.values or query.format is HitsFormat.HTML
    found = answer_dict(searchable, question, answer, seconds, values)
    if query.format is HitsFormat.HTML:
        plain = asked.model_dump(mode="json", exclude_none=True, exclude={"series", "csv"})
        html = report_html({"info": state.corpora, "request": plain, "answer": found})
        return Response(html, media_type="text/html", headers=_file(searchable, "html"))
    return Json(found)


async def _picture(state: State, searchable: Searchable, question: Question, answer: Answer) -> Response:
    """The picture that `trace-lit search --plot` draws."""
    from data_modules.figures import picture
    from trace_lit.inference.hits_figure import hits_figure

    asked: dict[str, Any] = {"text": question.text, "series": question.series, "like": question.like}
    corpora = searchable.corpora()
    names = {hit.corpus for hit in answer.hits} & set(corpora) or set(corpora)
    if len(names) > 1:
        raise ServiceError(
            f"the hits are of {', '.join(sorted(names))}; a picture shows one corpus: ask with of_corpus"
        )
    content = await state.draw(lambda: picture(hits_figure(answer.hits, corpora[names.pop()], **asked)))
    return Response(content, media_type="image/png", headers=_file(searchable, "png"))


def _file(searchable: Searchable, kind: str) -> dict[str, str]:
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in searchable.name)
    return {"content-disposition": f'attachment; filename="hits-{name}.{kind}"'}
