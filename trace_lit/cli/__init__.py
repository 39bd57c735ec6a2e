"""The command `trace-lit`: a file a subcommand. Each parses, calls, prints and returns an exit code.

Exit codes: 0 done, 1 a problem found by `data validate`, 2 the input cannot be used, 75 training was asked to stop and
has saved (`fit --resume auto` goes on), 130 interrupted. What a command needs is imported when it runs, so that help and
refusals are quick.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from trace_lit.cli import baseline, compare, data, evaluate, fit, predict, search
from trace_lit.errors import InputError

COMMANDS = (data, fit, baseline, compare, evaluate, predict, search)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = build_parser()
    options, rest = parser.parse_known_args(arguments)
    words = getattr(options, "words", None)
    if words is not None and not any(word.startswith("-") for word in rest):
        words += rest  # argparse ends a list of words at the first option
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("data_modules").setLevel(logging.INFO)
    try:
        return options.job(options)
    except BrokenPipeError:  # the reader of our output has left
        sys.stderr.close()
        return 0
    except (InputError, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="trace-lit", description="Time series and text in one space.")
    jobs = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(jobs)
    return parser
