from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import torch

from data_modules.corpus import Record
from data_modules.dataset import CorpusDataset, JointDataset, concatenate, window_batch
from data_modules.samplers import Draw
from data_modules.text_table import TextTable
from data_modules.vocabulary import training_vocabulary
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import Channel
from trace_lit.text import document, sentences

BEGIN = datetime(2024, 1, 1)


def dataset_of(corpus, encoder=None, split="train", pieces=sentences, **options) -> CorpusDataset:
    texts = TextTable(corpus.texts, encoder, pieces)
    channel_texts = TextTable([text for own in corpus.channel_texts for text in own], encoder, document)
    vocabulary = training_vocabulary([corpus], encoder)
    return CorpusDataset(corpus, split, vocabulary, texts, channel_texts, **options)


def assert_equal(left: MultimodalBatch, right: MultimodalBatch) -> None:
    for field in dataclasses.fields(MultimodalBatch):
        one, other = getattr(left, field.name), getattr(right, field.name)
        assert (one is None and other is None) or torch.equal(one, other), field.name


def seconds(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("stride", [1, 6, 10])
def test_batch_holds_the_values_of_its_rows(write, series, windows_of, stride: int) -> None:
    values = series(200)
    corpus = write(windows_of(values, 6, stride, split=lambda n: "train"))
    batch = dataset_of(corpus)[[4, 0, 9]]
    for place, row in enumerate([4, 0, 9]):
        window = values[:, row * stride : row * stride + 6]
        np.testing.assert_array_equal(batch.observed[place], ~np.isnan(window))
        np.testing.assert_array_equal(batch.values[place], np.nan_to_num(window))
        start = BEGIN + timedelta(hours=row * stride)
        assert batch.span[place].tolist() == [seconds(start), seconds(start + timedelta(hours=6))]
    assert batch.index.tolist() == [4, 0, 9]
    assert batch.channel_mask.all()


def test_rows_of_a_split_in_the_corpus(write, series, windows_of) -> None:
    records = windows_of(series(96), 12, 12, text=lambda n: f"Day {n}.", split=lambda n: "train" if n < 5 else "test")
    dataset = dataset_of(write(records), split="test")
    assert dataset.rows.tolist() == [5, 6, 7]
    assert dataset.texts == ["Day 5.", "Day 6.", "Day 7."]
    batch = dataset[[2]]
    np.testing.assert_array_equal(np.nan_to_num(dataset.values[2]), batch.values[0])
    np.testing.assert_array_equal(records[7].values, dataset.values[2])


def test_shorter_windows_are_padded_on_the_left(write) -> None:
    rows = [Record(f"r{n}", f"s{n}", BEGIN, np.full((2, n), float(n), np.float32), split="train") for n in (2, 5, 3)]
    dataset = dataset_of(write(rows))
    batch = dataset[[0, 1, 2]]
    assert batch.values.shape == (3, 2, 5)
    assert batch.observed[:, 0].int().tolist() == [[0, 0, 0, 1, 1], [1, 1, 1, 1, 1], [0, 0, 1, 1, 1]]
    assert batch.values[:, 1].tolist() == [[0, 0, 0, 2, 2], [5, 5, 5, 5, 5], [0, 0, 3, 3, 3]]
    assert batch.length is not None
    assert batch.length.tolist() == [2, 5, 3]
    assert dataset[[0, 2]].values.shape == (2, 2, 3)


def test_text_fields(write, series, windows_of, encoder) -> None:
    texts = ["Cold. Then warm.", "", "Calm.", "Cold. Then warm.", " ", "Then warm."]
    corpus = write(
        windows_of(
            series(36),
            6,
            6,
            split=lambda n: "train",
            text=texts.__getitem__,
            channel_texts=lambda n: ["rising", "" if n % 2 else "steady"],
            label=lambda n: ["calm", "storm", None][n % 3],
        )
    )
    batch = dataset_of(corpus, encoder)[[0, 1, 2, 3, 4, 5]]
    cold, warm, calm, rising = torch.from_numpy(encoder.encode(["Cold.", "Then warm.", "Calm.", "rising"]))
    assert batch.has_text.tolist() == [True, False, True, True, False, True]
    assert batch.text.shape == (6, 2, 8)
    assert torch.equal(batch.text[0], torch.stack([cold, warm]))
    assert torch.equal(batch.text[2], torch.stack([calm, torch.zeros(8)]))
    assert batch.text_mask.sum(1).tolist() == [2, 0, 1, 2, 0, 1]
    ids = batch.text_id.tolist()
    assert ids[0] == ids[3] >= 0
    assert ids[1] == ids[4] == -1
    assert len({ids[0], ids[2], ids[5]}) == 3
    assert batch.has_channel_text.tolist() == [[True, True], [True, False]] * 3
    assert torch.equal(batch.channel_text[1], torch.stack([rising, torch.zeros(8)]))
    assert len(set(batch.channel_text_id[:, 0].tolist())) == 1
    assert batch.channel_text_id[1, 1] == -1
    assert batch.label.tolist() == [0, 1, NO_LABEL] * 2


def test_each_distinct_piece_is_encoded_once(encoder) -> None:
    TextTable(["One. Two.", "Two. Three.", "One. Two.", ""], encoder, sentences)
    assert sorted(encoder.seen) == ["One.", "Three.", "Two."]


def test_a_document_is_one_vector(encoder) -> None:
    table = TextTable(["One. Two."], encoder, document)
    vectors, mask = table.look_up(table.numbers(["One. Two.", ""]))
    assert vectors.shape == (2, 1, 8)
    assert mask.tolist() == [[True], [False]]


def test_without_encoder_there_are_no_texts(write, series, windows_of) -> None:
    corpus = write(windows_of(series(36), 6, 6, split=lambda n: "train", text=lambda n: "Calm."))
    batch = dataset_of(corpus)[[0, 1]]
    assert batch.text.shape == (2, 1, 0)
    assert not batch.has_text.any()
    assert not batch.has_channel_text.any()
    assert batch.text_id.tolist() == [-1, -1]


@pytest.mark.parametrize(("length", "stride"), [(24, 24), (20, 1), (12, 7)])
def test_random_offset_gives_slices_of_the_series(write, series, windows_of, length: int, stride: int) -> None:
    values = series(480)
    end = 360
    training = windows_of(values[:, :end], length, stride, split=lambda n: "train", label=lambda n: "calm")
    test = windows_of(values[:, end:], length, stride, split=lambda n: "test")
    later = [
        dataclasses.replace(record, id=f"later-{record.id}", start=record.start + timedelta(hours=end))
        for record in test
    ]
    dataset = dataset_of(write([*training, *later]), random_offset=True, seed=3)
    assert len(dataset) == len(training)
    last_step = (len(training) - 1) * stride + length
    offsets = []
    for epoch in range(3):
        batch = dataset[Draw(range(len(dataset)), epoch)]
        first = (batch.span[:, 0] - seconds(BEGIN)) // 3600
        assert torch.equal(batch.span[:, 1] - batch.span[:, 0], torch.full_like(first, 3600 * length))
        assert int(first.max()) + length <= last_step <= end, "a window reaches out of the training part"
        for row, step in enumerate(first.tolist()):
            window = values[:, step : step + length]
            np.testing.assert_array_equal(batch.values[row], np.nan_to_num(window))
            np.testing.assert_array_equal(batch.observed[row], ~np.isnan(window))
        offset = first - torch.arange(len(dataset)) * stride
        assert torch.equal(batch.label != NO_LABEL, offset == 0)
        offsets.append(offset)
    reach = (last_step - length - stride * torch.arange(len(dataset))).clamp(max=length - 1)
    drawn = torch.stack(offsets)
    assert (drawn >= 0).all()
    assert (drawn <= reach).all()
    assert set(drawn[:, reach == length - 1].flatten().tolist()) >= {0, length - 1} or len(dataset) < 50
    assert abs(drawn.float().mean() / reach.float().mean() - 0.5) < 0.2
    assert not torch.equal(drawn[0], drawn[1])


def test_a_moved_window_is_without_texts(write, series, windows_of, encoder) -> None:
    records = windows_of(
        series(240), 12, 12, split=lambda n: "train", text=lambda n: "Calm.", channel_texts=lambda n: ["a", "b"]
    )
    batch = dataset_of(write(records), encoder, random_offset=True)[Draw(range(20), 0)]
    stayed = batch.span[:, 0] == torch.tensor([seconds(record.start) for record in records])
    assert 0 < int(stayed.sum()) < 20
    assert torch.equal(batch.has_text, stayed)
    assert torch.equal(batch.has_channel_text.all(1), stayed)
    assert torch.equal(batch.has_channel_text.any(1), stayed)
    assert torch.equal(batch.text_id >= 0, stayed)
    assert not batch.text[~stayed].any()


def test_offsets_do_not_depend_on_the_batch(write, series, windows_of) -> None:
    corpus = write(windows_of(series(240), 12, 12, split=lambda n: "train"))
    dataset = dataset_of(corpus, random_offset=True, seed=1)
    together = dataset[Draw(range(20), 5)].span
    alone = torch.cat([dataset[Draw([row], 5)].span for row in range(20)])
    assert torch.equal(together, alone)
    other_seed = dataset_of(corpus, random_offset=True, seed=2)[Draw(range(20), 5)].span
    assert not torch.equal(together, other_seed)


def test_evaluation_does_not_move_windows(write, series, windows_of) -> None:
    corpus = write(windows_of(series(240), 12, 12, split=lambda n: "train"))
    assert_equal(dataset_of(corpus, random_offset=True)[list(range(20))], dataset_of(corpus)[list(range(20))])


@pytest.mark.parametrize("how", ["gap", "frequency", "series", "values", "grid"])
def test_rows_that_do_not_belong_together_are_not_stitched(write, how: str) -> None:
    first = Record("a", "s", BEGIN, np.ones((2, 8), np.float32), split="train")
    second = Record("b", "s", BEGIN + timedelta(hours=8), np.ones((2, 8), np.float32), split="train")
    changed = {
        "gap": {"start": BEGIN + timedelta(hours=9)},
        "frequency": {"frequency": "30min"},
        "series": {"series_id": "t"},
        "values": {"start": BEGIN + timedelta(hours=7), "values": np.full((2, 8), 2.0, np.float32)},
        "grid": {"start": BEGIN + timedelta(hours=7, minutes=30)},
    }
    joined = dataset_of(write([first, second], name="joined")).windows
    assert joined.reach.tolist() == [8, 0]
    apart = dataset_of(write([first, dataclasses.replace(second, **changed[how])], name="apart"))
    assert apart.windows.reach.tolist() == [0, 0]
    assert apart[[1]].values.flatten().tolist() == [2.0 if how == "values" else 1.0] * 16


def test_months_are_stitched_on_the_calendar(write) -> None:
    values = np.arange(48, dtype=np.float32).reshape(2, 24)
    rows = [
        Record(f"r{n}", "s", datetime(2022 + n // 2, 1 + n % 2 * 6, 1), values[:, 6 * n : 6 * n + 6], split="train")
        for n in range(4)
    ]
    dataset = dataset_of(write(rows, frequency="MS"), random_offset=True)
    assert dataset.windows.reach.tolist() == [18, 12, 6, 0]
    batch = dataset[Draw([0], 1)]
    step = int(batch.values[0, 0, 0])
    assert batch.span[0].tolist() == [
        seconds(datetime(2022 + step // 12, 1 + step % 12, 1)),
        seconds(datetime(2022 + (step + 6) // 12, 1 + (step + 6) % 12, 1)),
    ]


def test_corpora_of_different_shape_in_one_batch(write, encoder) -> None:
    small = write(
        [Record("a", "s", BEGIN, np.ones((1, 4), np.float32), text="One. Two.", label="storm", split="train")],
        name="small",
        channels=(Channel("wind"),),
        label_names=("storm",),
    )
    large = write(
        [Record(f"b{n}", "s", BEGIN + timedelta(hours=6 * n), np.full((2, 6), 2.0 + n, np.float32), text="Calm.",
                label="calm", split="train") for n in range(2)],
        name="large",
    )  # fmt: skip
    vocabulary = training_vocabulary([small, large], encoder)
    texts = TextTable([*small.texts, *large.texts], encoder, sentences)
    channel_texts = TextTable([], None, document)
    names = ("storm", "calm")
    parts = [
        CorpusDataset(corpus, "train", vocabulary, texts, channel_texts, label_names=names) for corpus in (small, large)
    ]
    joint = JointDataset(parts)
    batch = joint[[2, 0, 1]]
    assert batch.values.shape == (3, 2, 6)
    assert batch.channel_mask.tolist() == [[True, True], [True, False], [True, True]]
    assert batch.channel_ids.tolist() == [[1, 2], [0, 0], [1, 2]]
    assert batch.values[1].tolist() == [[0, 0, 1, 1, 1, 1], [0] * 6]
    assert batch.observed[1].int().tolist() == [[0, 0, 1, 1, 1, 1], [0] * 6]
    assert batch.length is not None
    assert batch.length.tolist() == [6, 4, 6]
    assert batch.text_mask.tolist() == [[True, False], [True, True], [True, False]]
    assert batch.label.tolist() == [1, 0, 1]
    assert batch.index.tolist() == [2, 0, 1]
    assert batch.series_id[0] == batch.series_id[2] != batch.series_id[1]
    assert batch.text_id[0] == batch.text_id[2] != batch.text_id[1]
    assert batch.channel_text_id.tolist() == [[-1, -1]] * 3
    assert_equal(concatenate([joint[[2]], joint[[0]], joint[[1]]]), batch)


def test_query_window() -> None:
    batch = window_batch(np.array([[1.0, np.nan], [2.0, 3.0]]), [4, 2], text_width=8)
    assert batch.values.tolist() == [[[1.0, 0.0], [2.0, 3.0]]]
    assert batch.observed.tolist() == [[[True, False], [True, True]]]
    assert batch.channel_ids.tolist() == [[4, 2]]
    assert not batch.has_text.any()
    assert len(concatenate([batch, batch])) == 2
