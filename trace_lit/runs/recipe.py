"""Settings that a recipe leaves to the data: chosen by the corpora's frequency and length, and by nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from data_modules.corpus import Corpus
from data_modules.frequency import Frequency
from data_modules.stitched import Series
from trace_lit.config import ConfigError, flatten, given_keys
from trace_lit.runs.data import corpus_folders
from trace_lit.settings import Config, check

_LEAST_SEASON = 4  # steps


def settle_by_frequency(config: Config) -> None:
    """Put the settings of `by_frequency` that fit the corpora into `config`, where it has none of its own.

    The table has the unit of a step (Frequency.unit) or `any`, below it the least length of a series in steps, and below
    that sections. Of the lengths, the largest that the shortest series reaches without a gap counts. `window.season` is
    one number, or several: cycles in steps of one unit, of which the first that has four steps at least is taken. What a
    run that is started from brings along, the encoder, is not taken from the table.

    Raises
    ------
    ConfigError
        The table has nothing for the corpora, or is not of this form.
    """
    if not config.by_frequency:
        return
    corpora = [Corpus.load(folder) for folder in corpus_folders(config)]
    frequency, steps = _step(corpora), min(_length(corpus) for corpus in corpora)
    given = given_keys(config)
    chosen = flatten(_chosen(config.by_frequency, "any", steps)) if "any" in config.by_frequency else {}
    for key, value in (chosen | flatten(_chosen(config.by_frequency, frequency.unit, steps))).items():
        section, _, name = key.partition(".")
        if key in given or (section == "encoder" and config.init_from is not None):
            continue
        part = getattr(config, section, None)
        if not hasattr(part, name):
            raise ConfigError(f"by_frequency.{frequency.unit} has {key!r}, which is no key of the configuration")
        setattr(part, name, _season(value, frequency) if key == "window.season" else value)
    config.by_frequency = {}
    check(config)


def _step(corpora: Sequence[Corpus]) -> Frequency:
    """The step that most rows have."""
    count = Counter(alias for corpus in corpora for alias in corpus.frequencies.tolist())
    return Frequency.parse(count.most_common(1)[0][0])


def _length(corpus: Corpus) -> int:
    """Steps without a gap of the shortest series."""
    series = Series.of(corpus, "rows")
    length = torch.zeros(int(series.number.max()) + 1, dtype=torch.int64)
    length.scatter_reduce_(0, series.number, series.ended - series.begun, "amax")
    return int(length[length > 0].min())


def _chosen(table: Mapping[str, Any], unit: str, steps: int) -> dict[str, Any]:
    lengths = table.get(unit)
    if not isinstance(lengths, dict) or not all(str(length).isdecimal() for length in lengths):
        raise ConfigError(
            f"by_frequency has no settings for steps of a {unit}, by their least length, like "
            f"{{{unit}: {{0: {{window: {{lookback: 48}}}}}}}}; it has {', '.join(table)}"
        )
    reached = [length for length in lengths if int(length) <= steps]
    if not reached:
        raise ConfigError(
            f"by_frequency.{unit} is for series of {min(map(int, lengths))} steps or more; one has {steps}"
        )
    found: dict[str, Any] = lengths[max(reached, key=int)]
    return found


def _season(cycles: Any, frequency: Frequency) -> int:
    """Steps of the first of the `cycles`, in units, that has enough of them; 1 where none has."""
    for cycle in cycles if isinstance(cycles, list) else [cycles]:
        steps = cycle / frequency.count
        if steps >= _LEAST_SEASON and (steps == int(steps) or steps > 5 * _LEAST_SEASON):
            return round(steps)
    return 1
