"""The command `trace-lit`: a file a subcommand. Each parses, calls, prints and returns an exit code.

Exit codes: 0 done, 1 a problem found by `data validate`, 2 the input cannot be used, 75 training was asked to stop and
has saved (`fit --resume auto` goes on), 130 interrupted. What a command needs is imported when it runs, so that help and
refusals are quick.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from trace_lit.cli import baseline, compare, data, embed, evaluate, fit, index, info, keys, predict, runs, search, serve
from trace_lit.errors import InputError
from trace_lit.escapes import say, shown
from trace_lit.shadowing import check_packages

COMMANDS = (data, fit, baseline, evaluate, search, embed, index, serve, predict, compare, runs, info, keys)
SHELLS = ("bash", "zsh", "tcsh")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    if not given:
        parser.print_help()
        return 0
    if not given[0].startswith("-") and given[0] not in command_names():
        say(f"error: {unknown_command(given[0])}", file=sys.stderr)
        return 2
    try:
        options, rest = parser.parse_known_args(given)
    except BrokenPipeError:  # of help, or a completion
        return _reader_has_left()
    words = getattr(options, "words", None)
    if words is not None and not any(word.startswith("-") for word in rest):
        words += rest  # argparse ends a list of words at the first option
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if "torch" not in sys.modules:
        # Its threads wait for each other by turning in a loop, which takes the core from the one that they wait for
        # where another program has it: with one of two cores busy, a search took seven times as long.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_shown)
    logging.getLogger("data_modules").setLevel(logging.INFO)
    try:
        check_packages()
        return options.job(options)
    except BrokenPipeError:
        return _reader_has_left()
    except (InputError, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        say(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("interrupted", file=sys.stderr)
        return 130


def _reader_has_left() -> int:
    """Nobody reads what is printed any more: say nothing, not even at exit."""
    sys.stderr.close()
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="trace-lit",
        description="Time series and text in one space.",
        epilog="trace-lit COMMAND --help shows the options of a command; trace-lit keys lists all keys of a configuration.",
    )
    parser.add_argument("--version", action=_Version, help="print the version and stop")
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        choices=SHELLS,
        help='print a completion script for the shell; to use it: eval "$(trace-lit --print-completion bash)"',
    )
    jobs = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(jobs)
    return parser


def command_names() -> tuple[str, ...]:
    """The names of all commands."""
    return tuple(command.__name__.rpartition(".")[2] for command in COMMANDS)


def unknown_command(name: str) -> str:
    """What is wrong with a command of this name, and which one was most likely meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, command_names(), n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(command_names())}"
    return f"no command {name!r}; {meant}"


def _shown(record: logging.LogRecord) -> bool:
    """Let a message be shown as text, whatever data it speaks of."""
    record.msg, record.args = shown(record.getMessage()), ()
    return True


class _Version(argparse.Action):
    """Prints the version."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from trace_lit import __version__

        say(f"{parser.prog} {__version__}")
        parser.exit()


class _Completion(argparse.Action):
    """Prints a shell's completion."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        from trace_lit.cli.completion import completion

        say(completion(parser, values))
        parser.exit()
