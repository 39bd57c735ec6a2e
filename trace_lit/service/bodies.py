"""Bodies of requests that may be JSON, a form with a CSV file, or a CSV file alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from data_modules.tables.layouts import decoded
from trace_lit.service.errors import ServiceError
from trace_lit.service.schemas import ErrorModel, OneOf, PredictRequest, SearchRequest

Model = TypeVar("Model", bound=OneOf)
_FILE = "file"  # of a form: the CSV file
_REFERENCE = "#/components/schemas/{model}"
ERROR = {"application/json": {"schema": {"$ref": _REFERENCE.format(model="ErrorModel")}}}  # as `content` of a response


async def read_body(request: Request, model: type[Model], query: BaseModel) -> Model:
    """A request as `model`: its body, where a file of a form stands for the field `csv`, and what the `query` adds.

    Raises
    ------
    RequestValidationError, ServiceError
        The body cannot be used, or a field is given twice.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            asked = model.model_validate(await _form(request), strict=False)  # all fields of a form are texts
        elif kind == "text/csv":
            asked = model.model_validate({"csv": await _decoded(await request.body())})
        elif kind == "application/json":
            asked = model.model_validate_json(await request.body())
        else:
            raise ServiceError(f"the body is {kind[:100]!r}; send application/json, multipart/form-data or text/csv")
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    _check_once("query", [name for name, _ in request.query_params.multi_items()])
    added = {name: getattr(query, name) for name in query.model_fields_set if name in model.model_fields}
    for name in sorted(added.keys() & asked.model_fields_set):
        if getattr(asked, name) != added[name]:
            raise ServiceError(f"{name} is not the same in the query and in the body; give it once")
    return asked.model_copy(update=added)


async def _form(request: Request) -> dict[str, str]:
    """The fields that are not empty, the file as `csv`."""
    try:
        async with request.form(max_files=1, max_fields=20) as form:
            given = [("csv" if name == _FILE else name, value) for name, value in form.multi_items() if value]
            _check_once("form", [name for name, _ in given])
            return {name: await _text_of(name, value) for name, value in given}
    except HTTPException as error:
        raise ServiceError(f"the form cannot be read: {error.detail}") from None


async def _text_of(name: str, value: UploadFile | str) -> str:
    if isinstance(value, str):
        return value
    if name != "csv":
        raise ServiceError(f"the form has a file {name[:100]!r}; the CSV file is {_FILE!r}")
    return await _decoded(await value.read())


async def _decoded(content: bytes) -> str:
    """A CSV file as text, in whichever encoding the reader of tables knows."""
    return (await asyncio.to_thread(decoded, Path("the file"), content))[1]


def _check_once(where: str, names: Iterable[str]) -> None:
    """Raise ServiceError where one of `names` comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ServiceError(f"the {where} has {name[:100]!r} twice; give it once")
        seen.add(name)


def body_of(model: type[OneOf]) -> dict[str, Any]:
    """For `openapi_extra`: the bodies that `read_body` reads."""
    content = {
        "application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}},
        "multipart/form-data": {"schema": _form_of(model)},
        "text/csv": {"schema": {"type": "string", "minLength": 1}},
    }
    return {"requestBody": {"required": True, "content": content}}


def _form_of(model: type[OneOf]) -> dict[str, Any]:
    """The fields of `model` that a form can hold, which are no objects, and the file."""
    fields = {name: _not_null(own) for name, own in model.model_json_schema()["properties"].items()}
    fields = {name: own for name, own in fields.items() if "$ref" not in own}
    fields[_FILE] = {"type": "string", "format": "binary", "description": "A CSV file."}
    return {
        "type": "object",
        "description": "An empty field counts as none.",
        "properties": fields,
        "additionalProperties": False,
        "oneOf": [{"required": [name]} for name in (*model.one_of, _FILE) if name in fields],
    }


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What a field is that may also be null."""
    kinds = [own for own in schema.get("anyOf", []) if own != {"type": "null"}]
    described = {name: own for name, own in schema.items() if name != "anyOf"}
    return described | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})


def files_of(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """For `responses`: besides JSON, the answer may be a file of one of these types."""
    return {200: {"content": {kind: {"schema": {"type": "string"}} for kind in kinds}}}


def describe(app: FastAPI) -> None:
    """Let the description of the API hold the schemas that `body_of` and `ERROR` refer to."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            known = schema.setdefault("components", {}).setdefault("schemas", {})
            for model in (SearchRequest, PredictRequest, ErrorModel):
                own = model.model_json_schema(ref_template=_REFERENCE)
                known |= own.pop("$defs", {})
                known[model.__name__] = own
            schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"token": []}, {}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
