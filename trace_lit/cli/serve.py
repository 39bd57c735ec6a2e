"""`trace-lit serve`: runs behind HTTP, with a page to search by."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from trace_lit.cli.extra import extra
from trace_lit.cli.index import TOKEN
from trace_lit.cli.there import TABLE, check_there
from trace_lit.cli.trust import add_trust


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    serve = jobs.add_parser("serve", help="serve runs over HTTP, with a page to search by (extra: serve)")
    serve.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run folders, checkpoints, or universal")
    serve.add_argument(
        "--corpus",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="C",
        help="corpora, or CSV files, that are searched (default: the runs' own)",
    )
    serve.add_argument(
        "--index",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="INDEX",
        help="kept indexes that are searched in the place of corpora, see trace-lit index build",
    )
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1, this machine alone)")
    serve.add_argument("--port", type=int, default=8000, help="(default: 8000)")
    serve.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="holds the token that clients must send; needed beyond this machine",
    )
    serve.add_argument("--device", help="cpu, cuda or cuda:1 (default: a GPU where there is one)")
    serve.add_argument("--retriever", type=Path, metavar="RUN", help="what finds neighbours, if it has moved")
    serve.add_argument("--origin", nargs="+", default=[], metavar="URL", help="web pages elsewhere that may ask (CORS)")
    serve.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds a request may take (default: 30)"
    )
    serve.add_argument("--waiting", type=int, default=512, metavar="N", help="questions that may wait (default: 512)")
    serve.add_argument(
        "--drain", type=float, default=1.0, metavar="S", help="seconds of service after SIGTERM (default: 1)"
    )
    add_trust(serve)
    serve.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Serve until asked to end."""
    from trace_lit.config import ConfigError
    from trace_lit.modules import checkpoint_path

    for place in options.runs:  # before all that takes long to import
        checkpoint_path(place)
    for place in options.corpus:
        check_there("--corpus", place, f"a corpus folder or {TABLE}")
    if not 1 <= options.port <= 65535:
        raise ConfigError(f"--port is {options.port}; it must be from 1 to 65535")
    if options.timeout <= 0 or options.waiting < 1 or options.drain < 0:
        raise ConfigError("--timeout and --waiting must be above 0, and --drain at least 0")
    token = None if options.token_file is None else read_token(options.token_file)
    if token is None and options.host not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(
            f"--host {options.host} lets other machines ask; give --token-file FILE, whose token they must send"
        )
    with extra("serve"):
        from trace_lit.service import Limits, Served, create_app, serve
    how = {"device": options.device, "retriever": options.retriever, "trust": options.trust}
    served = Served(options.runs, options.corpus, options.index, token=os.environ.get(TOKEN), **how)
    limits = Limits(seconds=options.timeout, waiting=options.waiting)
    app = create_app(served, limits, token=token, origins=options.origin)
    return serve(app, options.host, options.port, drain=options.drain)


def read_token(path: Path) -> str:
    """The token in the file `path`.

    Raises
    ------
    ConfigError
        It cannot be read, or is no token.
    """
    from trace_lit.config import ConfigError

    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {path} cannot be read: {error}") from None
    if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"--token-file {path} holds no token: one line of at least 16 printable characters, like that "
            "of `openssl rand -hex 32`"
        )
    return token
