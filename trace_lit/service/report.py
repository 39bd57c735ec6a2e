"""A question and its hits as one HTML file that needs neither a service nor a network."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from data_modules.corpus import Corpus
from trace_lit.atomic import write_atomically
from trace_lit.inference import AlignedRun, Hits, Index
from trace_lit.inference.index_search import Within
from trace_lit.inference.inputs import read_window
from trace_lit.service.kept import IndexSearch
from trace_lit.service.searchable import Answer, CorpusSearch, Question, Searchable
from trace_lit.service.served import corpus_info
from trace_lit.service.windows import series_values, to_json

PAGE = files("trace_lit.service") / "page"
_STYLE = re.compile(r'<link rel="stylesheet" href="(assets/[^"]+)"\s*/?>')
_SCRIPT = re.compile(r'<script src="(assets/[^"]+)" defer></script>')
_ICON = re.compile(r'<link rel="icon"[^>]*>')


def answer_dict(
    searchable: Searchable, question: Question, answer: Answer, seconds: float, values: bool
) -> dict[str, Any]:
    """The answer as the API gives it: plain types and arrays."""
    hits = [hit.as_dict() for hit in answer.hits]
    found: dict[str, Any] = {"corpus": searchable.name, "searched": answer.hits.searched, "within": answer.within}
    found |= {"seconds": seconds, "hits": hits}
    if values:
        for plain, hit in zip(hits, answer.hits, strict=True):
            plain["values"] = searchable.values(hit)
        if question.series is not None:
            found["query"] = series_values(question.series)
        elif question.like is not None:
            found["query"] = searchable.values(searchable.find(question.like))
    return found


def report_html(content: dict[str, Any]) -> str:
    """The page with its assets and `content` (info, request, answer) inside."""
    content = {**content, "saved": datetime.now(UTC).isoformat(timespec="seconds")}
    data = to_json(content).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    html = _ICON.sub("", (PAGE / "index.html").read_text(encoding="utf-8"))
    scripts = [(PAGE / name).read_text(encoding="utf-8") for name in _SCRIPT.findall(html)]
    code = "\n".join(scripts).replace("</script", "<\\/script")
    html = _STYLE.sub(lambda found: f"<style>{(PAGE / found[1]).read_text(encoding='utf-8')}</style>", html)
    html = _SCRIPT.sub("", html)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:"
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    html = html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{head}', 1)
    tail = f'<script type="application/json" id="saved">{data}</script>\n<script>{code}</script>\n</body>'
    return html.replace("</body>", tail, 1)


def write_report(
    path: Path,
    model: AlignedRun,
    searched: Corpus | Index,
    hits: Hits,
    *,
    text: str | None = None,
    series: Any = None,
    like: str | None = None,
    within: Within = "series",
) -> None:
    """Write a question, see `Index.search`, and its hits as a page; the file is whole or not there."""
    searchable: Searchable
    if isinstance(searched, Index):
        searchable = IndexSearch(searched.place.name, model, searched)
    else:
        searchable = CorpusSearch(searched.path.stem, model, searched)
    window = None if series is None else read_window(series, searchable.info.channels)
    answer = Answer(hits, "series" if text is None else within)
    found = answer_dict(searchable, Question(text=text, like=like, series=window), answer, 0.0, values=True)
    request = {name: value for name, value in (("text", text), ("like", like)) if value is not None}
    info = {"models": [], "corpora": [corpus_info(searchable)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, report_html({"info": info, "request": request, "answer": found}))
