"""The page at `/`, the API's description at /docs, and their files. Nothing of them comes from another host."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
_PAGE = Path(str(files("trace_lit.service") / "page"))
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


def files_of_page() -> StaticFiles:
    """Styles, scripts and the charting library of the page."""
    return StaticFiles(directory=_PAGE / "assets")


def files_of_docs() -> StaticFiles:
    """Swagger UI, as the package fastapi_offline holds it."""
    return StaticFiles(directory=Path(str(files("fastapi_offline") / "static")))


@router.get("/")
async def page() -> Response:
    """The page."""
    return FileResponse(_PAGE / "index.html", headers={"cache-control": "no-cache"})


@router.get("/docs")
async def docs() -> Response:
    """The API's description."""
    return FileResponse(_PAGE / "docs.html", headers={"content-security-policy": _DOCS_POLICY})
