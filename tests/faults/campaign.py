"""Kill commands at the moments at which they change the disk, start them again by the same words, and compare.

    python tests/faults/campaign.py --seed 7 --kills 40

The moments are found by tracing: Python reports every file that is opened for writing, and every rename, removal and new
folder. A command is killed (SIGKILL) before the so-manyth of them, in a process of its own that is forked after all imports.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # run by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

WRITING = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}


@dataclass(frozen=True)
class Command:
    """A command, what must be there before it, and what holds after each kill and at the end."""

    name: str
    words: Sequence[str]
    before: Sequence[Sequence[str]] = ()
    after_a_kill: Callable[[Path], bool] = lambda folder: True


RUN = Path("runs/weather/pretrain/x")
FIT = (
    "fit",
    "data.corpus=corpus",
    "run.name=x",
    "encoder={width: 16, heads: 2, layers: 1}",
    "trainer={accelerator: cpu, max_epochs: 2, checkpoint_every_n_steps: 2}",
    "data.batch_size=32",
    "text.cache_dir=text",
)
BUILD = ("data", "build", "--domain", "weather", "--out", "corpus")


def _is_corpus(folder: Path) -> bool:
    from data_modules import validate_corpus

    return validate_corpus(folder / "corpus") == []


def _is_some_run(folder: Path) -> bool:
    return any((folder / "runs").rglob("*.ckpt"))


COMMANDS = (
    Command("build", (*BUILD, "instances=60")),
    Command("build again", (*BUILD, "instances=70"), [(*BUILD, "instances=60")], _is_corpus),
    Command("fit", (*FIT, "--resume", "auto"), [(*BUILD, "instances=90")]),
    Command("fit --overwrite", (*FIT, "seed=3", "--overwrite"), [(*BUILD, "instances=90"), FIT], _is_some_run),
)


def run(words: Sequence[str], folder: Path, last: int | None = None) -> tuple[int, list[str]]:
    """The exit code of a command in `folder`, killed before its event number `last`; and its events up to there."""
    report, write = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(words, folder, last, write)
    os.close(write)
    with os.fdopen(report) as file:
        events = file.read().splitlines()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), events


def _in_child(words: Sequence[str], folder: Path, last: int | None, write: int) -> None:
    os.chdir(folder)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    seen = 0

    def note(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                return
        elif event in WRITING:
            path = arguments[0]
        else:
            return
        if not isinstance(path, (str, bytes, os.PathLike)) or not _inside(os.fsdecode(path), folder):
            return
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        os.write(write, f"{event} {Path(os.fsdecode(path)).name}\n".encode())

    sys.addaudithook(note)
    from trace_lit.cli import main

    code = 70
    try:
        code = main(list(words))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def _inside(path: str, folder: Path) -> bool:
    return os.path.abspath(path).startswith(f"{folder}{os.sep}")


def outcome(folder: Path) -> dict[str, object]:
    """What a command has made: the corpus and the weights, bit for bit."""
    import torch

    from data_modules import Corpus

    made: dict[str, object] = {"corpus": Corpus.load(folder / "corpus").fingerprint}
    for path in sorted((folder / "runs").rglob("*.ckpt")):
        weights = torch.load(path, weights_only=True)["state_dict"]
        made[str(path.relative_to(folder))] = {name: weight.numpy().tobytes() for name, weight in weights.items()}
    return made


def prepare(command: Command, root: Path) -> Path:
    """A folder with all that the command needs."""
    folder = Path(tempfile.mkdtemp(dir=root)).resolve()
    for words in command.before:
        code, _ = run(words, folder)
        assert code == 0, (words, code)
    return folder


def campaign(seed: int, kills: int, root: Path, commands: Sequence[Command] = COMMANDS) -> list[str]:
    """What went wrong, a line each; the kills survived of those tried are printed by command and place."""
    draw, wrong = random.Random(seed), []
    for command in commands:
        template = prepare(command, root)
        whole = Path(shutil.copytree(template, root / f"{template.name}-whole", symlinks=True)).resolve()
        code, events = run(command.words, whole)
        assert code == 0, (command, code)
        expected = outcome(whole)
        places = sorted(draw.sample(range(len(events)), min(kills, len(events))))
        tried, survived = Counter[str](), Counter[str]()
        for number in places:
            folder = Path(shutil.copytree(template, root / f"{template.name}-{number}", symlinks=True)).resolve()
            run(command.words, folder, number)
            place = events[number].split()[0]
            tried[place] += 1
            problem = None if command.after_a_kill(folder) else "what was there before is gone"
            if problem is None:
                code, _ = run(command.words, folder)
                if code != 0:
                    problem = f"the same words end with code {code}"
                elif outcome(folder) != expected:
                    problem = "the result is another"
            if problem is None:
                survived[place] += 1
            else:
                wrong.append(f"{command.name}, killed before {events[number]} (event {number}): {problem}")
            shutil.rmtree(folder)
        done = ", ".join(f"{place} {survived[place]} of {tried[place]}" for place in tried)
        print(f"{command.name}: survived {survived.total()} of {tried.total()} ({done})", flush=True)
    return wrong


def main() -> int:
    """Run the campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--kills", type=int, default=40, help="of each command")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    import_all()
    with tempfile.TemporaryDirectory() as root:
        wrong = campaign(options.seed, options.kills, Path(root).resolve())
    print("\n".join(wrong))
    return bool(wrong)


def import_all() -> None:
    """Import what the commands need, once for all forks."""
    import torch

    torch.set_num_threads(1)
    import trace_lit.cli
    import trace_lit.train.fit  # noqa: F401


if __name__ == "__main__":
    raise SystemExit(main())
