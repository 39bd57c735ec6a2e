"""Break off commands at the moments at which they change the disk, start them again by the same words, and compare.

    python tests/faults/campaign.py --seed 7 --kills 40

A command is broken off in three ways. It is killed (SIGKILL) before the so-manyth change of the disk; the changes are found
by tracing: Python reports every file that is opened for writing, and every rename, removal and new folder. It is killed
after a random share of its time. Or the disk is full after so many bytes (a file system in memory, where this user may mount
one). Then the same words must end as they do without the fault: corpora, weights, parts and indexes, bit for bit, and with
`--curves` the points of curves, pictures and the tables of the projector, as TensorBoard reads them.

Commands run in processes that are forked after all imports; those of several processes are started as they are by a user.
Faults of all commands are mixed, so that a campaign that `--seconds` ends has tried something of each.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # run by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.children import apart, end_orphans, run, run_on_several, small_disk

SIZES = 20  # of disks that become full
CURVES = "TRACE_LIT_FAULTS_CURVES"  # set where curves are compared, too


@dataclass(frozen=True)
class Command:
    """A command, what must be there before it, and what holds after each fault and at the end."""

    name: str
    words: Sequence[str]
    before: Sequence[Sequence[str]] = ()
    after_a_kill: Callable[[Path], bool] = lambda folder: True
    prepare: Callable[[Path], None] = lambda folder: None  # files that are there after `before`
    processes: int = 1


@dataclass
class Course:
    """How a command runs without a fault."""

    command: Command
    template: Path
    events: Sequence[str]
    seconds: float
    bytes: int  # that it adds to the disk
    made: dict[str, object] = field(repr=False)


@dataclass(frozen=True)
class Fault:
    """Where a command is broken off: before an event, after some seconds, or where so many bytes are written."""

    place: str
    event: int | None = None
    seconds: float | None = None
    room: int | None = None


SMALL = (
    "run.name=x",
    "encoder={width: 16, heads: 2, layers: 1}",
    "data.batch_size=32",
    "text.cache_dir=text",
    "evaluation.bootstrap=10",
)
EPOCHS = "trainer={accelerator: cpu, max_epochs: 2, checkpoint_every_n_steps: 2, log_every_n_steps: 1}"
FIT = ("fit", "data.corpus=corpus", *SMALL, EPOCHS)
ALIGN = (*FIT, "stage=align")
WINDOW = "window={lookback: 24, horizon: 6, stride: 6}"
TUNE = ("fit", "stage=tune", "data.corpus=tides", WINDOW, *SMALL, EPOCHS)
BUILD = ("data", "build", "--domain", "weather", "--out", "corpus")
CORPUS = (*BUILD, "instances=90")
TABLES = ("data", "build", "--source", "tables", "--root", "tables", "--out", "tides", "tables.yaml")
ALIGNED = [CORPUS, (*FIT, "stage=align", "trainer.max_epochs=1")]
RUN = "runs/weather/align/x"
INDEX = ("index", "build", RUN, "--corpus", "corpus", "--out", "index")


def write_tables(folder: Path, days: int = 30) -> None:
    """Hours of two channels, and notes, for `--source tables`."""
    draw = random.Random(0)
    (folder / "tables").mkdir(exist_ok=True)
    rows = [
        f"2024-{1 + day // 28:02d}-{1 + day % 28:02d} {hour:02d}:00,{draw.gauss(5, 1):.2f},{draw.gauss(50, 9):.1f}"
        for day in range(days)
        for hour in range(24)
    ]
    (folder / "tables" / "tides.csv").write_text("\n".join(["time,level [m],flow [m/s]", *rows]) + "\n")
    (folder / "tables.yaml").write_text("domain: tides\nseries: [{files: tides.csv}]\nwindows: {length: 24}\n")


def _longer_tables(folder: Path) -> None:
    write_tables(folder, 34)


def _is_corpus(folder: Path) -> bool:
    from data_modules import validate_corpus

    return validate_corpus(folder / "corpus") == []


def _is_tides(folder: Path) -> bool:
    from data_modules import validate_corpus

    return validate_corpus(folder / "tides") == []


def _is_some_run(folder: Path) -> bool:
    return any((folder / "runs").rglob("*.ckpt"))


def _is_index(folder: Path) -> bool:
    return len(_windows_of(folder / "index")) >= 60


COMMANDS = (
    Command("build", (*BUILD, "instances=60")),
    Command("build again", (*BUILD, "instances=70"), [(*BUILD, "instances=60")], _is_corpus),
    Command("append", ("data", "append", "tides", "--root", "tables"), [TABLES], _is_tides, _longer_tables),
    Command("fit pretrain", (*FIT, "--resume", "auto"), [CORPUS]),
    Command("fit pretrain, 2 workers", (*FIT, "data.num_workers=2", "--resume", "auto"), [CORPUS]),
    Command("fit --overwrite", (*FIT, "seed=3", "--overwrite"), [CORPUS, FIT], _is_some_run),
    Command("fit align", (*ALIGN, "--resume", "auto"), [CORPUS]),
    Command("fit align, mining", (*ALIGN, "mining={every_n_epochs: 1, first_epoch: 0}", "--resume", "auto"), [CORPUS]),
    *(
        Command(f"fit tune, {solver}", (*TUNE, f"head.solver={solver}", "--resume", "auto"), [TABLES])
        for solver in ("ridge", "ridge+sgd", "sgd", "combination")
    ),
    Command("fit pretrain, 2 processes", (*FIT, "trainer.devices=2", "--resume", "auto"), [CORPUS], processes=2),
    Command("embed", ("embed", RUN, "--corpus", "corpus", "--out", "parts"), ALIGNED),
    Command("index build", INDEX, ALIGNED),
    Command("index build again", (*INDEX, "--width", "8"), [*ALIGNED, INDEX], _is_index),
    Command(
        "index add",
        ("index", "add", "index", "--corpus", "corpus"),
        [*ALIGNED, INDEX, (*BUILD, "instances=110")],
        _is_index,
    ),
)


def outcome(folder: Path) -> dict[str, object]:
    """What a command has made: corpora, weights, parts and indexes, and curves and pages if asked for, bit for bit."""
    import torch

    from data_modules import Corpus

    made: dict[str, object] = {}
    for path in sorted(folder.rglob("corpus.yaml")):
        corpus = Corpus.load(path.parent)
        made[str(path.relative_to(folder))] = (corpus.fingerprint, corpus.content_fingerprint(), corpus.history)
    for path in sorted((folder / "runs").rglob("*.ckpt")):
        weights = torch.load(path, weights_only=True)["state_dict"]
        made[str(path.relative_to(folder))] = {name: weight.numpy().tobytes() for name, weight in weights.items()}
    if CURVES in os.environ:
        for path in sorted((folder / "runs").rglob("config.yaml")):
            made[f"curves of {path.parent.relative_to(folder)}"] = _curves(path.parent)
        for path in sorted((folder / "runs").rglob("*.tsv")):
            made[str(path.relative_to(folder))] = path.read_bytes()
    for path in sorted(folder.glob("parts/*.parquet")):
        made[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if (folder / "index" / "index.json").is_file():
        made["index"] = _windows_of(folder / "index")
    return made


def _curves(run: Path) -> dict[str, object]:
    """The points of the curves and the pictures of a run, without what depends on its speed."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    scalars = [tag for tag in tags["scalars"] if "second" not in tag and tag != "mining/share"]
    curves: dict[str, object] = {tag: [(own.step, own.value) for own in events.Scalars(tag)] for tag in scalars}
    for tag in tags["images"]:
        curves[tag] = [(own.step, hashlib.sha256(own.encoded_image_string).hexdigest()) for own in events.Images(tag)]
    return curves


def _windows_of(index: Path) -> dict[str, bytes]:
    """The vector of each window of an index."""
    from trace_lit.retrieval import Filter
    from trace_lit.retrieval.stores import FaissStore

    store = FaissStore(index / "store")
    places = store.select(Filter())
    keys = store.rows(places)["key"].to_pylist()
    return {key: vector.tobytes() for key, vector in zip(keys, store.exact(places), strict=True)}


def differing(expected: dict[str, object], found: dict[str, object]) -> str:
    """The first thing that two outcomes do not have in common."""
    for name in dict.fromkeys((*expected, *found)):
        one, other = expected.get(name), found.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            own = next(key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key))
            name = f"{name}, {own}"
            one, other = one.get(own), other.get(own)
        return f"{name} is another ({str(one)[:80]} … {str(other)[:80]})"
    return ""


class Templates:
    """Folders with all that commands need, each made once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made: dict[tuple[Sequence[str], ...], Path] = {}

    def of(self, before: Sequence[Sequence[str]]) -> Path:
        """The folder after these commands."""
        done = tuple(before)
        if done not in self._made:
            if not done:
                folder = Path(tempfile.mkdtemp(dir=self.root)).resolve()
                write_tables(folder)
            else:
                folder = copied(self.of(done[:-1]), self.root)
                code, _ = run(done[-1], folder, told=self.root / "told")
                assert code == 0, (done[-1], code, (self.root / "told").read_text())
            self._made[done] = folder
        return self._made[done]


def copied(folder: Path, root: Path) -> Path:
    """A copy of a folder, beside it."""
    return Path(shutil.copytree(folder, Path(tempfile.mkdtemp(dir=root)).resolve(), symlinks=True, dirs_exist_ok=True))


def course_of(command: Command, templates: Templates, root: Path) -> Course:
    """How it runs without a fault."""
    template = templates.of(command.before)
    if command.prepare is not Command.prepare:
        template = copied(template, root)
        command.prepare(template)
    whole, began = copied(template, root), time.monotonic()
    if command.processes > 1:
        code, events = run_on_several(command.words, whole), list[str]()
    else:
        code, events = run(command.words, whole, told=root / "told")
    seconds = time.monotonic() - began
    assert code == 0, (command, code, (root / "told").read_text())
    course = Course(
        command, template, events, seconds, max(_size(whole) - _size(template), 2**16), apart(lambda: outcome(whole))
    )
    shutil.rmtree(whole)
    return course


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def faults_of(course: Course, kills: int, draw: random.Random) -> list[Fault]:
    """Some faults of a command: two thirds before an event, a third at a random moment, and small disks."""
    if course.command.processes > 1:
        return [Fault("any moment", seconds=draw.uniform(0.1, 1) * course.seconds) for _ in range(max(1, kills // 10))]
    numbers = draw.sample(range(len(course.events)), min(max(1, 2 * kills // 3), len(course.events)))
    before = [Fault(course.events[number].split()[0], event=number) for number in numbers]
    moments = [
        Fault("any moment", seconds=draw.random() * course.seconds) for _ in range(max(1, kills - 2 * kills // 3))
    ]
    count = -(-SIZES * kills // (40 * len(COMMANDS)))
    disks = [Fault("full disk", room=int(draw.random() * course.bytes)) for _ in range(count)]
    faults = [*before, *moments, *disks]
    draw.shuffle(faults)
    return faults


def problem_of(course: Course, fault: Fault, root: Path) -> str | None:
    """What is wrong after a fault and the same words again; None: nothing."""
    if fault.room is not None:
        return apart(lambda: _problem_on_a_small_disk(course, fault.room or 0, root))
    command, folder = course.command, copied(course.template, root)
    try:
        if command.processes > 1:
            if run_on_several(command.words, folder, fault.seconds) == 71:
                return "a process outlived the first"
        else:
            run(command.words, folder, fault.event, fault.seconds)
        return _problem_again(course, folder, root)
    finally:
        end_orphans()
        shutil.rmtree(folder)


def _problem_again(course: Course, folder: Path, root: Path) -> str | None:
    command, told = course.command, root / "told"
    if not apart(lambda: command.after_a_kill(folder)):
        return "what was there before is gone"
    if command.processes > 1:
        code = run_on_several(command.words, folder)
    else:
        code, _ = run(command.words, folder, told=told)
    if code != 0:
        return f"the same words end with code {code}: {_end_of(told, code)}"
    return apart(lambda: differing(course.made, outcome(folder))) or None


def _end_of(told: Path, code: int) -> str:
    """The last line of what a command said; where it was ended because it took too long, where it waited."""
    lines = told.read_text().strip().splitlines() if told.is_file() else []
    return "\n".join(lines[-60:] if code == -signal.SIGALRM else lines[-1:])


def _problem_on_a_small_disk(course: Course, room: int, root: Path) -> str | None:
    told = root / "told"
    with ExitStack() as stack:
        try:
            folder, limit = stack.enter_context(small_disk(course.template))
        except OSError as error:
            return f"not tried: {error}"
        stack.callback(end_orphans)
        limit(room)
        code, _ = run(course.command.words, folder, told=told)
        limit(None)
        if code not in (0, 2):
            return f"it ends with code {code}: {_end_of(told, code)}"
        return _problem_again(course, folder, root)


def campaign(
    seed: int, kills: int, root: Path, commands: Sequence[Command] = COMMANDS, seconds: float = float("inf")
) -> list[str]:
    """What went wrong, a line each; the faults survived of those tried are printed by command and place."""
    began, draw, wrong = time.monotonic(), random.Random(seed), []
    tried, survived = {own.name: Counter[str]() for own in commands}, {own.name: Counter[str]() for own in commands}
    templates = Templates(root)
    waiting: list[tuple[Course, list[Fault]]] = []
    for command in draw.sample(commands, len(commands)):
        if time.monotonic() - began > seconds / 2:
            break
        course = course_of(command, templates, root)
        waiting.append((course, faults_of(course, kills, draw)))
    for number in range(max((len(faults) for _, faults in waiting), default=0)):
        for course, faults in waiting:
            if number >= len(faults) or time.monotonic() - began > seconds:
                continue
            fault, name = faults[number], course.command.name
            problem = problem_of(course, fault, root)
            if problem is not None and problem.startswith("not tried"):
                continue
            tried[name][fault.place] += 1
            if problem is None:
                survived[name][fault.place] += 1
            else:
                event = "" if fault.event is None else f" {course.events[fault.event]} (event {fault.event})"
                wrong.append(f"{name}, {fault.place}{event} {fault.seconds or fault.room or ''}: {problem}")
                print(wrong[-1], flush=True)
    for name, own in tried.items():
        done = ", ".join(f"{place} {survived[name][place]} of {own[place]}" for place in sorted(own))
        print(f"{name}: survived {survived[name].total()} of {own.total()} ({done})")
    planned = sum(len(faults) for _, faults in waiting)
    total = sum(own.total() for own in tried.values())
    print(f"in all: survived {total - len(wrong)} of {total}, {planned - total} were not tried")
    return wrong


def main() -> int:
    """Run the campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--kills", type=int, default=40, help="of each command")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no further fault is tried")
    parser.add_argument("--only", default="", help="commands whose names have this in them")
    parser.add_argument("--one-process", action="store_true", help="only commands of a single process")
    parser.add_argument("--curves", action="store_true", help="compare curves and pages, too")
    options = parser.parse_args()
    if options.curves:
        os.environ[CURVES] = "1"
    print(f"seed {options.seed}", flush=True)
    import_all()
    most = 1 if options.one_process else 2
    chosen = [command for command in COMMANDS if options.only in command.name and command.processes <= most]
    with tempfile.TemporaryDirectory() as root:
        wrong = campaign(options.seed, options.kills, Path(root).resolve(), chosen, options.seconds)
    return bool(wrong)


def import_all() -> None:
    """Import what the commands need, once for all forks."""
    import torch

    torch.set_num_threads(1)
    for name in (
        "callbacks",
        "data_modules.appending",
        "data_modules.sources.tables",
        "faiss",
        "matplotlib.pyplot",
        "sklearn.decomposition",
        "sklearn.utils.extmath",
        "tensorboard.backend.event_processing.event_accumulator",
        "torch.utils.tensorboard",
        "trace_lit.cli",
        "trace_lit.inference.index",
        "trace_lit.train.fit",
        "trace_lit.tuning.build",
    ):
        importlib.import_module(name)


if __name__ == "__main__":
    raise SystemExit(main())
