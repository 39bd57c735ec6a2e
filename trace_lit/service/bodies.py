"""Bodies of requests that may be JSON, a form with a CSV file, or a CSV file alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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

Model = TypeVar("Model", bound=BaseModel)
_FILE = "file"  # of a form: the CSV file
_FORMAT = "format"  # of the answer: of the query, but not of a model
_REFERENCE = "#/components/schemas/{model}"


def json_or_csv(model: type[Model]) -> Callable[[Request], Coroutine[Any, Any, Model]]:
    """A dependency that reads a request as `model`, whose field `csv` a file of a form stands for."""

    async def read(request: Request) -> Model:
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        try:
            if kind == "multipart/form-data":
                return model.model_validate(await _form(request))
            if kind == "text/csv":
                asked = {name: value for name, value in request.query_params.items() if name != _FORMAT}
                return model.model_validate({**asked, "csv": await _decoded(await request.body())})
            if kind == "application/json":
                return model.model_validate_json(await request.body())
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from None
        raise ServiceError(f"the body is {kind[:100]!r}; send application/json, multipart/form-data or text/csv")

    return read


async def _form(request: Request) -> dict[str, Any]:
    try:
        async with request.form(max_files=1, max_fields=20) as form:
            found: dict[str, Any] = {}
            for name, value in form.multi_items():
                if name in found:
                    raise ServiceError(f"the form has the field {name[:100]!r} twice; give it once")
                if name == _FILE:
                    content = await value.read() if isinstance(value, UploadFile) else value.encode()
                    found["csv"] = await _decoded(content)
                elif isinstance(value, UploadFile):
                    raise ServiceError(f"the form has a file {name[:100]!r}; the CSV file is {_FILE!r}")
                elif value:
                    found[name] = value
            return found
    except HTTPException as error:
        raise ServiceError(f"the form cannot be read: {error.detail}") from None


async def _decoded(content: bytes) -> str:
    """A CSV file as text, in whichever encoding the reader of tables knows."""
    return (await asyncio.to_thread(decoded, Path("the file"), content))[1]


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """For `openapi_extra`: the bodies that `json_or_csv` reads."""
    form = {
        "type": "object",
        "description": f"The fields of {model.__name__}, and the CSV file as `{_FILE}`.",
        "properties": {_FILE: {"type": "string", "format": "binary"}},
        "required": [_FILE],
    }
    content = {
        "application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}},
        "multipart/form-data": {"schema": form},
    }
    return {"requestBody": {"required": True, "content": content}}


def describe(app: FastAPI) -> None:
    """Let the description of the API hold the schemas that `body_of` refers to."""
    from trace_lit.service.schemas import PredictRequest, SearchRequest

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            known = schema.setdefault("components", {}).setdefault("schemas", {})
            for model in (SearchRequest, PredictRequest):
                own = model.model_json_schema(ref_template=_REFERENCE)
                known |= own.pop("$defs", {})
                known[model.__name__] = own
            schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"token": []}, {}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
