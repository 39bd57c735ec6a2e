import numpy as np
import pytest

from data_modules.splits import SPLITS, check_split, overlapping_splits, split_by_time, split_times


def windows(count: int, length: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.datetime64("2020-01-01", "us") + np.arange(count) * np.timedelta64(stride, "h")
    return starts, starts + np.timedelta64(length, "h")


def counts(splits: np.ndarray) -> list[int]:
    return [int((splits == split).sum()) for split in SPLITS]


@pytest.mark.parametrize(("count", "expected"), [(1884, [1318, 189, 377]), (10, [7, 1, 2]), (100, [70, 10, 20])])
def test_shares_are_70_10_20_in_order_of_time(count, expected):
    starts, ends = windows(count, 24, 24)
    shuffled = np.random.default_rng(0).permutation(count)
    splits, keep = split_by_time(["a"] * count, starts[shuffled], ends[shuffled])
    assert keep.all()
    assert counts(splits) == expected
    assert starts[shuffled][splits == "train"].max() < starts[shuffled][splits == "validation"].min()
    assert starts[shuffled][splits == "validation"].max() < starts[shuffled][splits == "test"].min()


@pytest.mark.parametrize("stride", [1, 5, 24, 30])
def test_no_kept_windows_of_two_splits_share_a_step(stride):
    count = 400
    starts, ends = windows(count, 24, stride)
    splits, keep = split_by_time(["a"] * count, starts, ends)
    used = {split: set() for split in SPLITS}
    for start, split in zip(starts[keep], splits[keep], strict=True):
        used[split] |= set(range(int(start.astype(int)), int(start.astype(int)) + 24 * 3600 * 10**6, 3600 * 10**6))
    assert not used["train"] & used["validation"]
    assert not used["validation"] & used["test"]
    assert not used["train"] & used["test"]
    assert (~keep).sum() == 2 * ((24 - 1) // stride)
    assert overlapping_splits(["a"] * keep.sum(), starts[keep], ends[keep], splits[keep]) == []


def test_a_long_window_may_not_reach_past_an_empty_split_into_the_test():
    starts, ends = windows(3, 1, 1)
    ends[0] = starts[2] + np.timedelta64(1, "h")
    splits, keep = split_by_time(["a"] * 3, starts, ends)
    assert splits.tolist() == ["train", "train", "test"]
    assert keep.tolist() == [False, True, True]


def test_each_series_is_split_by_itself():
    starts, ends = windows(10, 24, 24)
    splits, keep = split_by_time(["a"] * 10 + ["b"] * 10, np.tile(starts, 2), np.tile(ends, 2))
    assert keep.all()
    assert splits[:10].tolist() == splits[10:].tolist()


def test_overlaps_are_found_within_a_series_only():
    starts, ends = windows(4, 24, 12)
    splits = np.array(["train", "test", "train", "validation"], dtype=object)
    found = overlapping_splits(["a"] * 4, starts, ends, splits)
    assert found == [(0, 1), (2, 3)]
    assert overlapping_splits(["a", "b", "c", "d"], starts, ends, splits) == []


def test_a_long_early_window_is_found_behind_short_ones():
    starts, ends = windows(4, 1, 10)
    ends[0] = starts[3] + np.timedelta64(1, "h")
    splits = np.array(["train", "train", "train", "test"], dtype=object)
    assert overlapping_splits(["a"] * 4, starts, ends, splits) == [(0, 3)]
    splits = np.array(["test", "test", "test", "train"], dtype=object)
    assert overlapping_splits(["a"] * 4, starts, ends, splits) == [(3, 0)]


@pytest.mark.parametrize(("count", "length"), [(300, 96), (200, 50), (90, 20)])
def test_long_windows_at_every_step_leave_some_for_each_split(count, length):
    starts, ends = windows(count, length, 1)
    splits, keep = split_by_time(["a"] * count, starts, ends)
    assert min(counts(splits[keep])) >= 1
    assert overlapping_splits(["a"] * keep.sum(), starts[keep], ends[keep], splits[keep]) == []


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"train": "2 years", "validation": "6 months", "test": "6 months"}, [24, 6, 6]),
        ({"train": 0.5, "validation": 0.25, "test": 0.25}, [20, 10, 10]),
        ({"train": 20, "validation": 5, "test": 10}, [20, 5, 10]),
        ({"validation": "2002-01-01", "test": "2003-01-01"}, [24, 12, 4]),
    ],
)
def test_splits_are_given_as_durations_shares_counts_or_dates(split, expected):
    months = np.arange("2000-01", "2003-05", dtype="datetime64[M]").astype("datetime64[s]")
    assert check_split(split) is None
    ends = split_times(split, months)
    part = np.searchsorted(ends, months, side="right")
    assert [int((part == number).sum()) for number in range(3)] == expected


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("weeks", "rows, steps"),
        ({"train": 0.7}, "mapping"),
        ({"train": 0.7, "validation": 3, "test": 0.2}, "all be shares"),
        ({"train": 0.7, "validation": 0.2, "test": 0.2}, "sum to 1.1"),
        ({"train": "2 fortnights", "validation": "1 day", "test": "1 day"}, "durations"),
        ({"validation": "2003-01-01", "test": "2002-01-01"}, "before test"),
        ({"validation": "soon", "test": "2002-01-01"}, "dates"),
    ],
)
def test_a_split_that_is_none_is_refused(split, message):
    assert message in check_split(split)
