from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules.config import WindowConfig
from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from data_modules.dataset import concatenate
from data_modules.forecasting import OriginDataset
from data_modules.sources import timemmd
from data_modules.splits import SPLITS
from data_modules.stitched import Series
from data_modules.vocabulary import training_vocabulary
from trace_lit.channels import Channel

REAL = Path(__file__).parents[3] / "shared" / "data" / "timemmd"
BEGIN = datetime(2024, 1, 1)
SPLITS_NAMED = {"train": ["train"], "validation": ["validation"], "later": ["validation", "test"], "all": [*SPLITS]}
CHANNELS = (Channel("load", "MW"), Channel("price", "€"))


def ramp(
    folder: Path,
    steps: int = 100,
    length: int = 5,
    stride: int = 5,
    zeros: tuple[int, ...] = (),
    seconds: float = 3600,
    **more,
) -> Corpus:
    """Two series whose values say series, channel and step; rows tile them, each with a text of its own."""
    records = []
    for number in range(2):
        values = np.stack([1000.0 * number + 1 + np.arange(steps), -1000.0 * number - 1 - np.arange(steps)])
        values[:, list(zeros)] = 0
        for first in range(0, steps - length + 1, stride):
            records.append(
                Record(
                    f"{number}-{first}",
                    f"s{number}",
                    BEGIN + timedelta(seconds=seconds * first),
                    values[:, first : first + length],
                    text=f"Text {first}.",
                    label=("low", "high")[first % 2],
                    **more,
                )
            )
    return write_corpus(records, CorpusInfo("test", "ramp", "test", CHANNELS, "1h", ("low", "high")), folder)


def dataset(corpus: Corpus, split: str, how: str = "steps", zero_is_missing: bool = False, **words) -> OriginDataset:
    task = words.pop("task", "forecast")
    window = WindowConfig(**{"lookback": 8, "horizon": 4, "split": how, **words})
    vocabulary = training_vocabulary([corpus], None)
    names = corpus.info.label_names
    return OriginDataset(
        corpus,
        Series.of(corpus, how),
        split,
        window,
        vocabulary,
        task=task,
        label_names=names,
        zero_is_missing=zero_is_missing,
    )


@pytest.mark.parametrize("stride", [1, 5])
def test_every_series_gives_all_windows_whose_horizon_lies_in_the_split(tmp_path: Path, stride: int) -> None:
    corpus = ramp(tmp_path / "c", stride=stride)
    counts = [len(dataset(corpus, split)) for split in SPLITS]
    assert counts == [2 * (70 - 8 - 4 + 1), 2 * (10 - 4 + 1), 2 * (20 - 4 + 1)]


def test_a_future_follows_its_look_back_in_the_same_series_and_never_leaves_the_split(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c")
    borders = {"train": (0, 70), "validation": (70, 80), "test": (80, 100)}
    for split in SPLITS:
        own = dataset(corpus, split)
        batch = own[list(range(len(own)))]
        assert batch.future is not None
        whole = torch.cat([batch.values, batch.future], dim=2)[:, 0]
        assert (whole.diff(dim=1) == 1).all()  # one series, no gap
        assert torch.equal(batch.values[:, 1], -batch.values[:, 0])
        step = (batch.future[:, 0] - 1) % 1000
        assert step.min() == max(borders[split][0], 8)
        assert step.max() == borders[split][1] - 1
        assert torch.equal(batch.times[:, -1] + 3600, batch.span[:, 1])
        assert torch.equal(batch.span[:, 1] - batch.span[:, 0], torch.full((len(own),), 8 * 3600))


def test_by_rows_a_step_is_in_the_split_of_its_row(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c", length=25, stride=25)  # 2 rows for training, 1 each for validation and test
    step = {split: dataset(corpus, split, "rows").origins % 100 for split in SPLITS}
    assert (step["train"].min(), step["train"].max()) == (8, 46)
    assert (step["validation"].min(), step["validation"].max()) == (50, 71)
    assert (step["test"].min(), step["test"].max()) == (75, 96)


def test_zeros_are_gaps_in_what_is_learned_from_and_values_in_what_is_scored(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c", zeros=(20, 75))
    train, validation = (dataset(corpus, split, zero_is_missing=True) for split in SPLITS[:2])
    for own, gaps in ((train, True), (validation, False)):
        batch = own[list(range(len(own)))]
        assert batch.future is not None
        assert batch.future_observed is not None
        zero = batch.future == 0
        assert zero.any()
        assert bool((~batch.future_observed[zero]).all()) == gaps
        assert not batch.observed[batch.values == 0].any()


def test_the_scale_is_that_of_all_training_steps(tmp_path: Path) -> None:
    own = dataset(ramp(tmp_path / "c"), "test")
    values = np.concatenate([1 + np.arange(70), 1001 + np.arange(70)])
    assert own.mean[0] == pytest.approx(values.mean())
    assert own.deviation[0] == pytest.approx(values.std(), rel=1e-5)
    assert own.naive_error(1).tolist() == [1, 1]
    assert own.naive_error(7).tolist() == [7, 7]


def test_a_window_has_the_newest_texts_of_the_rows_within_its_look_back(tmp_path: Path) -> None:
    own = dataset(ramp(tmp_path / "c"), "train", lookback=12, max_texts=1)
    output = dict(zip(own.origins.tolist(), own.texts, strict=True))
    assert output[20] == "Text 15."
    assert output[24] == "Text 15."
    assert output[25] == "Text 20."
    both = dataset(ramp(tmp_path / "d"), "train", lookback=12, max_texts=4)
    assert dict(zip(both.origins.tolist(), both.texts, strict=True))[24] == "Text 15."  # 10 to 14 begins before 12
    assert dict(zip(both.origins.tolist(), both.texts, strict=True))[22] == "Text 10. Text 15."


def test_labels_stand_at_the_end_of_a_row(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c")
    own = dataset(corpus, "train", task="classify", lookback=8)
    batch = own[[0, 1]]
    assert batch.future is None
    assert batch.label.tolist() == [0, 1]
    assert batch.observed[0, 0].tolist() == [False] * 3 + [True] * 5  # the first row has nothing before it
    assert batch.values[1, 0].tolist() == list(range(3, 11))


def test_only_targets_are_forecast(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c")
    batch = dataset(corpus, "train", targets=["price"])[[0]]
    assert batch.future_observed is not None
    assert batch.future_observed.any(-1).tolist() == [[False, True]]
    assert batch.observed.all()
    with pytest.raises(CorpusError, match=r"no channel 'wind'.*load, price"):
        dataset(corpus, "train", targets=["wind"])


def test_batches_of_other_channels_are_joined(tmp_path: Path) -> None:
    batch = dataset(ramp(tmp_path / "c"), "train")[[0, 1]]
    one = batch._map(lambda tensor: tensor)
    for name in ("values", "observed", "channel_mask", "channel_ids", "future", "future_observed", "channel_text"):
        setattr(one, name, getattr(one, name)[:, :1])
    one.has_channel_text, one.channel_text_id = one.has_channel_text[:, :1], one.channel_text_id[:, :1]
    both = concatenate([batch, one])
    assert both.future is not None
    assert both.future_observed is not None
    assert both.future.shape == (4, 2, 4)
    assert not both.future_observed[2:, 1].any()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data in {REAL}")
def test_health_us_gives_the_windows_of_the_literature(tmp_path: Path) -> None:
    info, records = timemmd.series(REAL, "Health_US", "healthcare", length=32, stride=1, target_only=True)
    corpus = write_corpus(records, info, tmp_path / "c")
    counts = [len(dataset(corpus, split, lookback=32, horizon=12)) for split in SPLITS]
    assert counts == [929, 129, 266]


def test_windows_may_stand_anywhere_and_behind_the_end_nothing_is_observed(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c")
    own = dataset(corpus, "test")
    batch = own.at(torch.tensor([3, 98, 100, 200]), torch.tensor([1, 0, 1, 0]))[[0, 1, 2, 3]]
    assert batch.future_observed is not None
    assert batch.future is not None
    assert batch.observed[:, 0].sum(1).tolist() == [3, 8, 8, 8]  # the first has not more before it
    assert batch.values[0, 0, -3:].tolist() == [1, 2, 3]
    assert batch.future_observed[:, 0].sum(1).tolist() == [
        4,
        2,
        0,
        0,
    ]  # at 100 the second series begins, and is another
    assert batch.future[1, 0].tolist() == [99, 100, 0, 0]
    assert batch.series_id.tolist() == [0, 0, 0, 1]
    assert batch.label.tolist() == [1, 0, 1, 0]
    assert len(own) != 4  # which is left as it was


def test_with_a_text_horizon_a_window_has_the_reports_of_what_followed(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c")
    own = dataset(corpus, "train", lookback=12, max_texts=9).at(torch.tensor([24, 99]))
    assert own.texts == ["Text 15.", "Text 90."]
    own = own.at(own.origins, text_horizon=11)
    assert own.texts == ["Text 15. Text 20. Text 25. Text 30.", "Text 90. Text 95."]  # no further than the series goes


def test_origins_are_in_seconds_and_never_too_late(tmp_path: Path) -> None:
    own = dataset(ramp(tmp_path / "c"), "test")
    assert torch.equal(own.seconds, own[list(range(len(own)))].span[:, 1])
    brief = dataset(ramp(tmp_path / "d", stride=5, frequency="300ms", seconds=0.3), "test")
    exact = (brief.origins % 100).double() * 0.3 + (BEGIN - datetime(1970, 1, 1)).total_seconds()
    assert (brief.seconds <= exact + 1e-6).all()
    assert (brief.seconds > exact - 2).all()


def test_candidates_lie_in_the_splits_that_are_named(tmp_path: Path) -> None:
    series = Series.of(ramp(tmp_path / "c"), "steps")
    one = {name: series.candidate_origins(8, 4, names) for name, names in SPLITS_NAMED.items()}
    assert one["train"].tolist() == [*range(8, 67), *range(108, 167)]  # of 0 to 69 and 100 to 169
    assert one["validation"].tolist() == []  # ten steps are too few
    assert one["later"].tolist() == [*range(78, 97), *range(178, 197)]
    assert one["all"].tolist() == [*range(8, 97), *range(108, 197)]


def test_a_gap_is_bridged_up_to_the_last_value_that_is_known_at_the_origin(tmp_path: Path) -> None:
    gap = (20, 21, 22, 23, 24)
    corpus = ramp(tmp_path / "c", zeros=gap)
    own = dataset(corpus, "train", zero_is_missing=True, fill_gaps=True)
    plain = dataset(corpus, "train", zero_is_missing=True)
    batch, masked = (each[list(range(len(each)))] for each in (own, plain))
    assert batch.future_observed is not None
    steps = own.origins.unsqueeze(1) + torch.arange(-8, 4)
    known = batch.observed[:, 0]
    line = 1 + steps[:, :8] % 100 + 1000 * (steps[:, :8] >= 100)  # what the ramp would have been
    torch.testing.assert_close(batch.values[:, 0][known], line[known].float())
    hidden = torch.isin(steps % 100, torch.tensor(gap))
    for number, place in enumerate((own.origins % 100).tolist()):
        if place > 25:
            assert known[number].all()
        elif place > 20:  # the value behind the gap is not known yet
            assert torch.equal(known[number], ~hidden[number, :8])
    assert torch.equal(batch.future_observed[:, 0], ~hidden[:, 8:])  # what nobody reported is no target
    assert not masked.observed[:, 0][hidden[:, :8]].any()


def test_a_gap_at_the_border_of_a_series_stays(tmp_path: Path) -> None:
    corpus = ramp(tmp_path / "c", zeros=(0, 1, 99))
    own = dataset(corpus, "train", zero_is_missing=True, fill_gaps=True)
    first = own[[int(place) for place in (own.origins % 100 == 8).nonzero().squeeze(1)]]
    assert first.observed[:, 0].tolist() == [[False, False, *[True] * 6]] * 2


def holed(folder: Path, hours: dict[str, list[int]], frequency: dict[str, str] | None = None) -> Corpus:
    """Series that have rows of five steps at the given steps alone; their values are the squares of the steps."""
    frequency = frequency or {}
    records = []
    for name, starts in hours.items():
        length = int(frequency.get(name, "1h")[:-1])
        for first in starts:
            values = np.square(np.arange(first, first + 5, dtype=np.float64))
            begin = BEGIN + timedelta(hours=length * first)
            label = ("low", "high")[first % 2]
            alias = frequency.get(name)
            records.append(
                Record(f"{name}-{first}", name, begin, np.stack([values, -values]), label=label, frequency=alias)
            )
    return write_corpus(records, CorpusInfo("test", "holed", "test", CHANNELS, "1h", ("low", "high")), folder)


def test_where_a_series_has_holes_nothing_after_the_horizon_is_learned(tmp_path: Path) -> None:
    rows = list(range(0, 200, 5))
    corpus = holed(tmp_path / "c", {"holed": [row for row in rows if row not in (60, 150)], "later": rows[20:]})
    series = Series.of(corpus, "steps")
    for number, count in enumerate((190, 100)):
        own = series.number == number
        times = [series.windows.begin[own & (series.split == part)] for part in range(3)]
        assert [len(part) for part in times] == [7 * count // 10, count // 10, count // 5]
        assert times[0].max() < times[1].min()
        assert times[1].max() < times[2].min()
    origins = {split: series.forecast_origins(8, 4, split) for split in SPLITS}
    for number in range(2):
        ends, begins = (
            [series.windows.begin[own[series.number[own] == number] + ahead] for own in origins.values()]
            for ahead in (3, 0)
        )
        assert ends[0].max() < begins[1].min() <= ends[1].max() < begins[2].min()
    found = dataset(corpus, "train")
    times = found[list(range(len(found)))].times
    assert times is not None
    assert (times.diff(dim=1) == 3600).all()  # no window goes over a hole


def test_the_error_that_scores_are_measured_in_is_of_the_training_steps_alone(tmp_path: Path) -> None:
    corpus = holed(tmp_path / "c", {"one": list(range(0, 100, 5))})
    expected = np.diff(np.square(np.arange(70))).mean()
    for split in SPLITS:
        torch.testing.assert_close(dataset(corpus, split).naive_error(1), torch.full((2,), float(expected)))


def test_what_lies_ahead_is_known_once_its_steps_have_ended_be_they_there_or_not(tmp_path: Path) -> None:
    corpus = holed(tmp_path / "c", {"hours": [0, 5, 15], "threes": [0, 5]}, {"threes": "3h"})
    series = Series.of(corpus, "rows")
    assert series.step_length.unique().tolist() == [3_600_000_000, 3 * 3_600_000_000]
    begin = int(series.windows.begin.min())
    for number, hours in enumerate((1, 3)):
        origins = (series.number == number).nonzero().squeeze(1)[1:]
        origins = origins[series.begun[origins] == series.begun[origins - 1]]
        for horizon in (0, 2, 30):
            expected = series.windows.begin[origins] + 3600 * hours * horizon
            assert torch.equal(series.known(origins, horizon), expected)
    assert int(series.known(torch.tensor([1]), 1)) == begin + 2 * 3600
    monthly = ramp(tmp_path / "m", steps=10, seconds=31 * 86_400, frequency="MS", length=10, stride=10, split="train")
    months = Series.of(monthly, "rows")
    assert months.step_length.unique().tolist() == [-1]
    assert int(months.known(torch.tensor([9]), 3)) >= int(months.windows.end[9])
