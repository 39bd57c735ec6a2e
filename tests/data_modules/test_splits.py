import numpy as np
import pytest

from data_modules.splits import SPLITS, overlapping_splits, split_by_time


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
