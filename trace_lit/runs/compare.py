"""Runs side by side: their metrics with intervals, the settings that differ, and training time.

Runs that differ in nothing but the seed are one column: mean ± standard deviation over the seeds. Metrics are recognised by
the form of their names, so runs of any stage compare: `<split>/…`,
beside them `…/ci95` with the bounds of the 95 % interval,
`last/<split>/…` and `best/…` from training, and `fit/…` for what the run took.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trace_lit.modules import CheckpointError
from trace_lit.plain import PlainError, read_json, read_yaml
from trace_lit.runs.folder import Place, check_metrics, folder_of
from trace_lit.settings import Config, to_dict

if TYPE_CHECKING:
    import pandas as pd

COST = "fit/"
PLACE = ("run.name", "run.dir")  # keys that say where a run lives
OWN = (*PLACE, "trainer.threads")  # in which runs of one recipe may differ: by threads, only roundings do
RUNS = ("init_from", "rag.retriever")  # keys that name another run, often of the same seed
LEVELS = (("test/",), ("validation/",), ("best/", "last/validation/"))  # the first that all runs have is shown
_DETAIL = re.compile(r"(^|/)(pool|random|top1)/|/(P@10|queries|ci95)$")
_FIRST = ("text_to_series", "series_to_text", "series_to_series", "pair", "label")  # in this order, the rest by name
ABSENT = "–"


@dataclass(frozen=True)
class Run:
    """A run folder's configuration and metrics."""

    folder: Path
    config: dict[str, Any]  # flat: "optim.learning_rate" -> 0.001
    metrics: dict[str, Any]

    @property
    def seed(self) -> Any:
        return self.config.get("seed")

    def number(self, name: str) -> float | None:
        """A finite metric, or None."""
        value = self.metrics.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return value if math.isfinite(value) else None


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value}
    return flat


def is_main(name: str) -> bool:
    """Whether a metric is one to compare runs by, and not a detail of it."""
    return not _DETAIL.search(name)


def read_run(folder: Path) -> Run:
    """The run in `folder`; a key that an older version of this project did not have has its default.

    Raises
    ------
    CheckpointError
        It is no run, has no metrics yet, or its files are damaged.
    """
    if not (folder / "config.yaml").is_file():
        raise CheckpointError(f"{folder} is not a run folder: it has no config.yaml; runs are written by trace-lit fit")
    path = folder / "metrics.json"
    if not path.is_file():
        raise CheckpointError(f"the run {folder} has no metrics yet; its metrics.json is written when training ends")
    try:
        metrics = check_metrics(read_json(path))
        path = folder / "config.yaml"
        config = read_yaml(path)
        if not isinstance(config, dict):
            raise PlainError(f"it must hold a mapping of keys, not a {type(config).__name__}")
        return Run(folder, flatten(to_dict(Config())) | flatten(config), metrics)
    except (OSError, PlainError) as error:
        raise CheckpointError(f"{path} cannot be read, it is damaged: {str(error).splitlines()[0]}") from error


def find_runs(places: Iterable[str | Path]) -> tuple[list[Run], list[Path]]:
    """The runs that are meant by `places`, run folders or folders with runs below, and those below without metrics yet.

    Raises
    ------
    CheckpointError
        A place is neither, or a run that is named has no metrics yet.
    """
    folders: dict[Path, Path] = {}
    unfinished: dict[Path, Path] = {}
    for place in map(Path, places):
        if not place.exists():
            raise CheckpointError(f"{place} does not exist; give run folders, or a folder with runs below it")
        if (place / "config.yaml").is_file():
            folders.setdefault(place.resolve(), place)
            continue
        below = sorted(file.parent for file in place.rglob("config.yaml") if not _hidden(file.relative_to(place)))
        finished = [folder for folder in below if (folder / "metrics.json").is_file()]
        if not finished:
            what = (
                f"none of the {len(below)} runs below it has metrics yet" if below else "there is none below it either"
            )
            raise CheckpointError(f"{place} is not a run folder (it has no config.yaml), and {what}")
        for folder in below:
            (folders if folder in finished else unfinished).setdefault(folder.resolve(), folder)
    return [read_run(folder) for folder in folders.values()], list(unfinished.values())


def _horizons_apart(runs: list[Run]) -> list[Run]:
    """The same, with the horizon in the names of metrics where forecasts of several are compared."""

    def horizon(run: Run) -> Any:
        forecasts = run.config.get("stage") == "tune" and run.config.get("tune.task") == "forecast"
        return run.config.get("window.horizon") if forecasts else None

    if len({horizon(run) for run in runs} - {None}) < 2:
        return runs

    def named(name: str, steps: Any) -> str:
        if steps is None or name.startswith((COST, "run/")):
            return name
        base = name.removesuffix("/ci95")
        return f"{base} ({steps} steps){name[len(base) :]}"

    return [
        replace(run, metrics={named(name, horizon(run)): value for name, value in run.metrics.items()}) for run in runs
    ]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def without_seed(text: str, seed: Any) -> str:
    """A run's name or path without its seed, as in `first-seed3` or `sweep-3/checkpoints`."""
    return re.sub(rf"(?:(?<=/)|[-_.])(?:seed[-_.]?)?{re.escape(str(seed))}(?=/|$)", "", text)


def _recipe(run: Run) -> str:
    """All that the runs of a group have in common."""
    fixed = {key: value for key, value in run.config.items() if key not in ("seed", *OWN)}
    fixed |= {key: without_seed(str(fixed.get(key)), run.seed) for key in RUNS}
    return json.dumps([fixed, run.metrics.get("run/data_fingerprint")], sort_keys=True, default=str)


@dataclass(frozen=True)
class Statistic:
    """A metric of a column: over the column's runs that have it."""

    values: list[float]
    ci95: list[float] | None  # of a single run, where it was measured

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        return self.show()

    def show(self, unit: float = 1.0, name: str = "") -> str:
        """In words, in multiples of `unit`, which has a `name`."""
        mean = self.mean / unit
        if all(isinstance(value, int) for value in self.values) and unit == 1.0 and len(self.values) == 1:
            return f"{self.values[0]:,}"
        size = abs(mean)
        form = ",.0f" if size >= 1000 else ".1f" if size >= 100 else ".3f" if size >= 0.001 or not size else ".1e"
        words = f"{mean:{form}}"
        if self.deviation is not None:
            words += f" ± {self.deviation / unit:{form}}"
        if self.ci95 is not None:
            words += " [{}, {}]".format(*(f"{bound / unit:{form}}" for bound in self.ci95))
        return f"{words} {name}".rstrip()


@dataclass(frozen=True)
class Column:
    """A run, or the runs of a recipe over several seeds."""

    title: str
    runs: list[Run]

    def statistic(self, name: str) -> Statistic | None:
        """The metric `name`, None where no run of the column has it."""
        values = [value for run in self.runs if (value := run.number(name)) is not None]
        interval = self.runs[0].metrics.get(f"{name}/ci95") if len(self.runs) == 1 else None
        if interval is not None and not all(bound is not None and math.isfinite(bound) for bound in interval):
            interval = None
        return Statistic(values, interval) if values else None

    def setting(self, key: str) -> list[Any]:
        """The values of a key of the configuration, each once, in the order of the runs."""
        values = [run.config.get(key, ABSENT) for run in self.runs]
        if key in RUNS and len(self.runs) > 1:
            values = [without_seed(str(value), run.seed) for value, run in zip(values, self.runs, strict=True)]
        return [value for place, value in enumerate(values) if value not in values[:place]]


@dataclass(frozen=True)
class Comparison:
    """Columns of runs and the selected rows; each row has a cell for each column."""

    columns: list[Column]
    metrics: dict[str, list[Statistic | None]]
    cost: dict[str, list[Statistic | None]]
    settings: dict[str, list[list[Any]]]  # what differs between the columns
    unfinished: list[Path]  # found without metrics

    def __str__(self) -> str:
        from trace_lit.runs.tables import to_markdown  # which imports this module

        return to_markdown(self)

    def to_frame(self) -> pd.DataFrame:
        """The means of the metrics: a row a metric, a column a run, NaN where a run has none."""
        import pandas as pd

        cells = {
            name: [float("nan") if cell is None else cell.mean for cell in row] for name, row in self.metrics.items()
        }
        return pd.DataFrame.from_dict(cells, orient="index", columns=[column.title for column in self.columns])


def compare_runs(
    places: Iterable[str | Path], pattern: str | None = None, *, details: bool = False, each: bool = False
) -> Comparison:
    """Compare runs.

    Parameters
    ----------
    places
        Run folders, or folders with runs below.
    pattern
        A regular expression: the metrics in whose names it is found. By default the main ones of the test split, where
        all runs have been evaluated on it, else of validation; and the loss.
    details
        All metrics.
    each
        The runs of several seeds one by one.

    Raises
    ------
    CheckpointError
        A place is no run and holds none, a run has no metrics yet, or no metric has such a name.
    """
    runs, unfinished = find_runs(places)
    runs = _horizons_apart(runs)
    columns = _columns(runs, each)
    known = {name for run in runs for name in run.metrics if run.number(name) is not None}
    names = _choose({name for name in known if not name.startswith(COST)}, columns, pattern, details)
    keys = dict.fromkeys(key for run in runs for key in run.config if key not in PLACE)
    settings = {key: [column.setting(key) for column in columns] for key in keys}
    settings["data fingerprint"] = [
        sorted({str(run.metrics.get("run/data_fingerprint", ABSENT))[:12] for run in column.runs}) for column in columns
    ]
    return Comparison(
        columns,
        {name: [column.statistic(name) for column in columns] for name in sorted(names, key=_place)},
        {
            name: [column.statistic(name) for column in columns]
            for name in sorted(name for name in known if name.startswith(COST))
        },
        {key: cells for key, cells in settings.items() if any(cell != cells[0] for cell in cells)},
        unfinished,
    )


def compare(
    runs: Sequence[Place], pattern: str | None = None, *, details: bool = False, each: bool = False
) -> Comparison:
    """Hold runs against each other; print a `Comparison` to see them side by side.

    Parameters
    ----------
    runs
        Run folders, folders with runs below, or what `trace_lit.fit` has returned.
    pattern, details, each
        See `compare_runs`.

    Raises
    ------
    CheckpointError
        One is no run, or has no metrics yet.

    Examples
    --------
    >>> print(trace_lit.compare(["runs/weather/align/first", "runs/weather/align/second"]))  # doctest: +SKIP
    """
    return compare_runs([folder_of(run) for run in runs], pattern, details=details, each=each)


def _columns(runs: Sequence[Run], each: bool) -> list[Column]:
    groups: list[list[Run]] = []
    by_recipe: dict[str, list[list[Run]]] = {}
    for run in runs:
        alike = by_recipe.setdefault(_recipe(run), [])
        # A seed that is there already is the same run once more, which belongs to no spread over seeds.
        group = next((group for group in alike if run.seed not in [other.seed for other in group]), None)
        if each or group is None:
            group = []
            alike.append(group)
            groups.append(group)
        group.append(run)
    parts = [(*group[0].folder.resolve().parts[-3:-1], _name(group)) for group in groups]
    telling = [place for place in range(2) if len({part[place] for part in parts}) > 1]
    titles = ["/".join([*(part[place] for place in telling), part[-1]]) for part in parts]
    if len(set(titles)) < len(titles):
        titles = [", ".join(str(run.folder) for run in group) for group in groups]
    return [Column(title, group) for title, group in zip(titles, groups, strict=True)]


def _name(group: Sequence[Run]) -> str:
    names = [run.folder.resolve().name for run in group]
    if len(group) == 1:
        return names[0]
    common = list(dict.fromkeys(without_seed(name, run.seed) for name, run in zip(names, group, strict=True)))
    return f"{', '.join(common)} (seeds {', '.join(str(run.seed) for run in group)})"


def _choose(known: set[str], columns: Sequence[Column], pattern: str | None, details: bool) -> set[str]:
    known = {name for name in known if not name.endswith("/ci95")}
    if pattern is not None:
        try:
            chosen = {name for name in known if re.search(pattern, name)}
        except re.error as error:
            raise CheckpointError(f"--metrics {pattern!r} is not a regular expression: {error}") from None
        if not chosen:
            some = ", ".join(sorted(filter(is_main, known))[:5])
            raise CheckpointError(f"no metric of these runs has {pattern!r} in its name; there are {some}, …")
        return chosen
    if details:
        return known

    def measured(column: Column, level: tuple[str, ...]) -> bool:
        return any(name.startswith(level) and run.number(name) is not None for run in column.runs for name in known)

    levels = [level for level in LEVELS if all(measured(column, level) for column in columns)][:1]
    if not levels:
        levels = [level for column in columns for level in LEVELS if measured(column, level)]
    prefixes = tuple(prefix for level in levels for prefix in level)
    return {name for name in known if (name.startswith(prefixes) and is_main(name)) or name.endswith("validation/loss")}


def _place(name: str) -> tuple[bool, list[tuple[int, str]]]:
    """The place of a metric in the table: by direction and match, the loss at the end."""
    parts = name.split("/")
    return parts[-1] == "loss", [(_FIRST.index(part) if part in _FIRST else len(_FIRST), part) for part in parts]
