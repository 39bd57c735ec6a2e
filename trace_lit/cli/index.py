"""`trace-lit index`: build, change and search an index that is kept."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trace_lit.cli.trust import add_trust
from trace_lit.escapes import say
from trace_lit.plain import to_json

if TYPE_CHECKING:
    from trace_lit.retrieval import Filter

TOKEN = "TRACE_LIT_MILVUS_TOKEN"


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    index = jobs.add_parser("index", help="build, change and search an index that is kept")
    commands = index.add_subparsers(required=True)
    build = commands.add_parser("build", help="embed corpora and keep the vectors")
    build.add_argument("run", type=Path, help="an aligned run, a checkpoint, or universal")
    build.add_argument("--corpus", type=Path, action="append", default=[], help="a corpus; may be given several times")
    build.add_argument("--parts", type=Path, help="a folder that trace-lit embed has filled, in the place of corpora")
    build.add_argument("--out", type=Path, help="the folder of the index (default: RUN/index, where search finds it)")
    build.add_argument("--engine", default="faiss", choices=("faiss", "milvus"), help="what keeps it (default: faiss)")
    build.add_argument(
        "--kind",
        default="auto",
        help="how vectors are searched: auto, exact, hnsw, ivf-sq8, ivf-pq (default: auto, by size)",
    )
    build.add_argument("--width", type=int, default=256, help="numbers of a compact vector, at most (default: 256)")
    build.add_argument("--uri", help=f"of a Milvus, like http://localhost:19530; its token is ${TOKEN}")
    add_trust(build)
    build.set_defaults(job=_build)
    more = commands.add_parser("add", help="bring corpora of an index up to date, or further ones in")
    more.add_argument("index", type=Path, help="the folder of an index")
    more.add_argument("--corpus", type=Path, action="append", required=True, help="may be given several times")
    more.set_defaults(job=_add)
    delete = commands.add_parser("delete", help="forget windows")
    delete.add_argument("index", type=Path, help="the folder of an index")
    delete.add_argument(
        "--id", action="append", default=[], help="of a window, or corpus/id; may be given several times"
    )
    add_filters(delete)
    delete.set_defaults(job=_delete)
    info = commands.add_parser("info", help="what an index is, and whether it is stale")
    info.add_argument("index", type=Path, help="the folder of an index")
    info.add_argument("--json", action="store_true", help="print it as JSON")
    info.set_defaults(job=_info)
    search = commands.add_parser("search", help="ask an index in words, by a series, or for windows like one of it")
    search.add_argument("index", type=Path, help="the folder of an index")
    search.add_argument("--text", help="a question in words")
    search.add_argument("--series", type=Path, metavar="FILE.csv", help="a window, one column a channel")
    search.add_argument("--like", metavar="ID", help="a window of the index, or corpus/id")
    search.add_argument("--top", type=int, default=5, help="how many hits (default: 5)")
    search.add_argument("--explain", action="store_true", help="tell what each channel and each clause adds to a score")
    search.add_argument("--json", action="store_true", help="print the hits as JSON")
    add_search_options(search, "both")
    search.set_defaults(job=_search)


def add_filters(job: argparse._ActionsContainer) -> None:
    """Declare the options that say which windows are meant."""
    job.add_argument("--since", type=_time, metavar="TIME", help="windows that start at or after it, like 2016-01-31")
    job.add_argument("--until", type=_time, metavar="TIME", help="windows that end at or before it")
    job.add_argument("--label", action="append", default=[], help="with this label; may be given several times")
    job.add_argument(
        "--of-series", action="append", default=[], metavar="ID", help="of this series; may be given several times"
    )
    job.add_argument(
        "--of-corpus", action="append", default=[], metavar="NAME", help="of this corpus; may be given several times"
    )
    job.add_argument(
        "--split",
        action="append",
        default=[],
        choices=("train", "validation", "test"),
        help="of this split; may be given several times",
    )
    job.add_argument("--with-text", action="store_true", help="windows that have a text")


def add_search_options(job: argparse._ActionsContainer, within: str) -> None:
    """Declare what an index can do beside finding the nearest."""
    add_filters(job)
    job.add_argument(
        "--in",
        dest="within",
        default=within,
        choices=("series", "texts", "both"),
        help=f"what a question in words is compared with (default: {within})",
    )
    job.add_argument("--apart", action="store_true", help="leave out windows that overlap the query in time")
    job.add_argument("--diversity", type=float, default=0.0, help="0 to 1: how much hits are to differ (default: 0)")


def filter_of(options: argparse.Namespace) -> Filter:
    """The filter that the options ask for."""
    from trace_lit.retrieval import Filter

    return Filter(
        since=options.since,
        until=options.until,
        label=tuple(options.label),
        series=tuple(options.of_series),
        corpus=tuple(options.of_corpus),
        split=tuple(options.split),
        with_text=options.with_text,
    )


def _time(word: str) -> datetime:
    try:
        return datetime.fromisoformat(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no time; write it like 2016-01-31 or 2016-01-31T18:00") from None


def _build(options: argparse.Namespace) -> int:
    from trace_lit.config import ConfigError
    from trace_lit.modules import checkpoint_path

    if bool(options.corpus) == (options.parts is not None):
        raise ConfigError("give --corpus, once for each corpus, or --parts")
    checkpoint_path(options.run)
    from trace_lit.inference.index import Index
    from trace_lit.inference.search import open_aligned

    model = open_aligned(options.run, options.trust)
    settings: dict[str, Any] = {name: getattr(options, name) for name in ("engine", "kind", "width", "uri", "parts")}
    out = options.out or model.folder / "index"
    with Index.build(model, options.corpus, out, token=os.environ.get(TOKEN), **settings) as index:
        info = index.info
        say(
            f"{out}: {info.rows:,} windows, {info.kind}, {info.width} of {info.exact_width:,} numbers{_recall(info.recall)}"
        )
    return 0


def _recall(recall: dict[str, float]) -> str:
    shares = ", ".join(f"{share:.3f} of the best for {name}" for name, share in recall.items())
    return f", which find {shares}" if shares else ""


def _add(options: argparse.Namespace) -> int:
    index = _open(options.index)
    with index:
        count = index.add(options.corpus)
        say(f"{options.index}: {count:,} windows embedded, {len(index):,} in all")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from trace_lit.config import ConfigError

    wanted = filter_of(options)
    if not options.id and wanted.admits_all:
        raise ConfigError("say which windows, by --id or by filters; to forget all, remove the folder")
    with _open(options.index) as index:
        count = index.delete(options.id, None if wanted.admits_all else wanted)
        say(f"{options.index}: {count:,} windows deleted, {len(index):,} left")
    return 0


def _info(options: argparse.Namespace) -> int:
    with _open(options.index) as index:
        info, stale = index.info, index.stale()
    if options.json:
        say(to_json({**info.as_dict(), "stale": stale}))
        return 0
    size = "" if info.bytes is None else f", {info.bytes / 1e6:,.1f} MB"
    say(f"{info.place}: {info.rows:,} windows, {info.engine}{size}, changed {info.made}")
    say(f"compact vectors: {info.width} of {info.exact_width:,} numbers, {info.kind}{_recall(info.recall)}")
    for part in info.store.get("segments", ()):
        say("  segment: " + ", ".join(f"{name} {value}" for name, value in part.items()))
    say(f"run: {info.run}, model {info.model[:12]}")
    say(f"channels: {', '.join(channel.key for channel in info.channels)}")
    for entry in info.corpora:
        say(f"corpus {entry.name}: {entry.rows:,} windows, {entry.domain}, fingerprint {entry.fingerprint[:12]}")
    for sentence in stale:
        say(f"stale: {sentence}")
    return 0


def _search(options: argparse.Namespace) -> int:
    from trace_lit.config import ConfigError

    given = [name for name in ("text", "series", "like") if getattr(options, name) is not None]
    if len(given) != 1:
        raise ConfigError(f"give one of --text, --series and --like; {' and '.join(given) or 'none'} was given")
    with _open(options.index) as index:
        for sentence in index.stale():
            say(f"stale: {sentence}", file=sys.stderr)
        from trace_lit.inference.search import print_hits

        names = ("text", "series", "like", "top", "within", "apart", "diversity", "explain")
        hits = index.search(filter=filter_of(options), **{name: getattr(options, name) for name in names})
    if options.json:
        say(to_json([hit.as_dict() for hit in hits]))
    else:
        print_hits([hit if options.explain else replace(hit, explanation=None) for hit in hits], str(options.index))
    return 0


def _open(place: Path) -> Any:
    from trace_lit.inference.index_files import IndexFile, settle_if_killed

    settle_if_killed(place, None, os.environ.get(TOKEN))
    IndexFile.read(place)  # before what takes long to import
    from trace_lit.inference.index import Index

    return Index.open(place, token=os.environ.get(TOKEN))
