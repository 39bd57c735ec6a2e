from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from data_modules import Corpus
from tests.conftest import ALIGNED_EPOCHS, TinyRuns

pytestmark = pytest.mark.slow
DIRECTIONS = ("text_to_series", "series_to_text")


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    return accumulator.Reload()


@pytest.fixture(scope="module")
def aligned(tiny_runs: TinyRuns) -> EventAccumulator:
    return events(tiny_runs.aligned)


def steps_a_run(tiny_runs: TinyRuns, epochs: int) -> int:
    return epochs * -(-len(Corpus.load(tiny_runs.corpus).select("train")) // 16)


def test_every_step_of_pretraining_is_logged(tiny_runs: TinyRuns) -> None:
    seen = events(tiny_runs.pretrained)
    for tag in ("train/loss", "train/gradient_norm", "lr-AdamW/pg1"):
        assert len(seen.Scalars(tag)) == steps_a_run(tiny_runs, 2), tag
    for tag in ("validation/loss", "train/samples_per_second"):
        assert len(seen.Scalars(tag)) == 2, tag
        assert all(event.value > 0 for event in seen.Scalars(tag))


def test_every_step_of_alignment_is_logged(aligned: EventAccumulator, tiny_runs: TinyRuns) -> None:
    tags = [f"train/{level}/{name}" for level in ("sample", "channel") for name in (*DIRECTIONS, "negatives")]
    for tag in (*tags, "train/loss", "train/temperature", "train/gradient_norm", "lr-AdamW/pg1"):
        assert len(aligned.Scalars(tag)) == steps_a_run(tiny_runs, ALIGNED_EPOCHS), tag
    assert aligned.Scalars("train/temperature")[0].value == pytest.approx(0.07)
    rates = [event.value for event in aligned.Scalars("lr-AdamW/pg1")]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] < rates[0] <= max(rates)


def test_retrieval_is_logged_at_every_validation(aligned: EventAccumulator) -> None:
    tags = [f"{direction}/{match}" for direction in DIRECTIONS for match in ("pair", "label")]
    for tag in (*tags, "series_to_series/label"):
        for metric in ("P@1", "P@5", "P@10", "MRR"):
            logged = aligned.Scalars(f"validation/{tag}/{metric}")
            assert len(logged) == ALIGNED_EPOCHS
            assert all(0 <= event.value <= 1 for event in logged)


def test_the_best_checkpoint_is_of_the_epoch_with_the_best_retrieval(
    aligned: EventAccumulator, tiny_runs: TinyRuns
) -> None:
    logged = aligned.Scalars("validation/text_to_series/pair/MRR")
    best = max(logged, key=lambda event: event.value)
    content = torch.load(tiny_runs.aligned / "checkpoints" / "best.ckpt", weights_only=True)
    assert logged.index(best) == content["epoch"]
    metrics = json.loads((tiny_runs.aligned / "metrics.json").read_text())
    assert metrics["best/validation/text_to_series/pair/MRR"] == pytest.approx(best.value)


def test_the_pictures_are_drawn(aligned: EventAccumulator) -> None:
    for tag in ("similarity/weather", "retrieved/weather"):
        (event,) = aligned.Images(tag)
        with Image.open(io.BytesIO(event.encoded_image_string)) as picture:
            assert min(picture.size) > 200
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10


def test_the_projector_has_a_line_for_each_point(tiny_runs: TinyRuns) -> None:
    told = (tiny_runs.aligned / "projector_config.pbtxt").read_text()
    (tensors,) = tiny_runs.aligned.glob("*/weather/tensors.tsv")
    assert str(tensors.relative_to(tiny_runs.aligned)) in told
    with tensors.open() as file:
        points = list(csv.reader(file, delimiter="\t"))
    with tensors.with_name("metadata.tsv").open() as file:
        header, *rows = csv.reader(file, delimiter="\t")
    corpus = Corpus.load(tiny_runs.corpus)
    validation = corpus.select("validation")
    texts = sum(1 for row in validation if corpus.texts[row])
    assert header == ["kind", "label"]
    assert [kind for kind, _ in rows] == ["series"] * len(validation) + ["text"] * texts
    assert [label for _, label in rows[: len(validation)]] == [
        corpus.info.label_names[corpus.labels[row]] for row in validation
    ]
    assert len(points) == len(rows)
    assert torch.tensor([[float(number) for number in point] for point in points]).norm(dim=1).allclose(torch.ones(1))


def test_runs_compare_by_their_settings(aligned: EventAccumulator) -> None:
    content = aligned.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["domain"].string_value == "weather"
    assert settings["encoder.width"].number_value == 16
    assert settings["optim.ema_decay"].number_value == 0.9
    logged = aligned.Scalars("hparams/best/validation/text_to_series/pair/MRR")
    assert len(logged) == 1
