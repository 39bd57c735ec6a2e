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

from callbacks.tensorboard_pages import GLYPH
from data_modules import Corpus
from tests.conftest import ALIGNED_EPOCHS, TinyRuns
from trace_lit.train.tensorboard import tag as curve

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
    for tag in ("main/loss/train", "train/loss", "train/gradient_norm", "train/learning_rate/pg1"):
        assert len(seen.Scalars(tag)) == steps_a_run(tiny_runs, 2), tag
    for tag in ("main/loss/validation", "train/samples_per_second"):
        assert len(seen.Scalars(tag)) == 2, tag
        assert all(event.value > 0 for event in seen.Scalars(tag))


def test_every_step_of_alignment_is_logged(aligned: EventAccumulator, tiny_runs: TinyRuns) -> None:
    tags = [f"train/{level}/{name}" for level in ("sample", "channel") for name in (*DIRECTIONS, "negatives")]
    for tag in (*tags, "main/loss/train", "train/temperature", "train/gradient_norm", "train/learning_rate/pg1"):
        assert len(aligned.Scalars(tag)) == steps_a_run(tiny_runs, ALIGNED_EPOCHS), tag
    assert aligned.Scalars("train/temperature")[0].value == pytest.approx(0.07)
    rates = [event.value for event in aligned.Scalars("train/learning_rate/pg1")]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] < rates[0] <= max(rates)


def test_retrieval_is_logged_at_every_validation(aligned: EventAccumulator) -> None:
    tags = [f"{direction}/{match}" for direction in DIRECTIONS for match in ("pair", "label")]
    for tag in (*tags, "series_to_series/label"):
        for metric in ("P@1", "P@5", "P@10", "MRR"):
            logged = aligned.Scalars(curve(f"validation/{tag}/{metric}"))
            assert len(logged) == ALIGNED_EPOCHS
            assert all(0 <= event.value <= 1 for event in logged)


def test_the_best_checkpoint_is_of_the_epoch_with_the_best_retrieval(
    aligned: EventAccumulator, tiny_runs: TinyRuns
) -> None:
    logged = aligned.Scalars("main/text_to_series/pair/MRR")
    best = max(logged, key=lambda event: event.value)
    content = torch.load(tiny_runs.aligned / "checkpoints" / "best.ckpt", weights_only=True)
    assert logged.index(best) == content["epoch"]
    metrics = json.loads((tiny_runs.aligned / "metrics.json").read_text())
    assert metrics["best/validation/text_to_series/pair/MRR"] == pytest.approx(best.value)


def test_the_pictures_are_drawn(aligned: EventAccumulator) -> None:
    for tag in ("pictures/similarity/weather", "pictures/retrieved/weather"):
        (event,) = aligned.Images(tag)
        with Image.open(io.BytesIO(event.encoded_image_string)) as picture:
            assert min(picture.size) > 200
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10


def test_the_projector_has_a_line_for_each_point(tiny_runs: TinyRuns) -> None:
    output = (tiny_runs.aligned / "projector_config.pbtxt").read_text()
    (tensors,) = tiny_runs.aligned.glob("*/weather/tensors.tsv")
    assert str(tensors.relative_to(tiny_runs.aligned)) in output
    with tensors.open() as file:
        points = list(csv.reader(file, delimiter="\t"))
    with tensors.with_name("metadata.tsv").open() as file:
        header, *rows = csv.reader(file, delimiter="\t")
    corpus = Corpus.load(tiny_runs.corpus)
    validation = corpus.select("validation")
    texts = sum(1 for row in validation if corpus.texts[row])
    assert header == ["label", "kind"]
    assert [kind for _, kind in rows] == ["series"] * len(validation) + ["text"] * texts
    assert [label for label, _ in rows[: len(validation)]] == [
        corpus.info.label_names[corpus.labels[row]] for row in validation
    ]
    assert len(points) == len(rows)
    assert torch.tensor([[float(number) for number in point] for point in points]).norm(dim=1).allclose(torch.ones(1))


def test_a_point_of_the_projector_has_the_colour_of_its_label_and_the_form_of_its_kind(tiny_runs: TinyRuns) -> None:
    (sprite,) = tiny_runs.aligned.glob("*/weather/sprite.png")
    _, *rows = (line.split("\t") for line in sprite.with_name("metadata.tsv").read_text().splitlines())
    with Image.open(sprite) as picture:
        side = picture.width // GLYPH
        assert picture.size == (side * GLYPH, side * GLYPH)
        assert (side - 1) ** 2 < len(rows) <= side**2
        corner, middle = 5, GLYPH // 2
        colours: dict[str, set[object]] = {}
        for place, (label, kind) in enumerate(rows):
            left, top = place % side * GLYPH, place // side * GLYPH
            colours.setdefault(label, set()).add(picture.getpixel((left + middle, top + middle)))
            assert (picture.getpixel((left + corner, top + corner))[3] == 255) == (kind == "text")
            assert picture.getpixel((left, top))[3] == 0
    assert all(len(own) == 1 for own in colours.values())
    assert len({*(next(iter(own)) for own in colours.values())}) == len(colours)


def test_the_page_begins_with_losses_and_main_metrics_and_has_no_single_points(aligned: EventAccumulator) -> None:
    tags = sorted(aligned.Tags()["scalars"])
    assert tags[:5] == [
        "main/loss/train",
        "main/loss/validation",
        "main/series_to_text/pair/MRR",
        "main/text_to_series/label/P@1",
        "main/text_to_series/pair/MRR",
    ]
    assert {tag.partition("/")[0] for tag in tags} == {"main", "metrics", "train"}
    assert all(len(aligned.Scalars(tag)) >= ALIGNED_EPOCHS for tag in tags)


def test_runs_compare_by_their_settings(aligned: EventAccumulator, tiny_runs: TinyRuns) -> None:
    content = aligned.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["Domain"].string_value == "weather"
    assert settings["Stage"].string_value == "align"
    assert settings["encoder.width"].number_value == 16
    assert settings["encoder.rotary"].string_value == "true"
    assert settings["optim.ema_decay"].number_value == 0.9
    assert settings["init_from"].string_value == "weather/pretrain/tiny"
    assert not [key for key in settings if key.startswith(("tune.", "rag.", "run.", "text.cache_dir"))]
    # One run's description of the columns would be taken for those of all runs.
    assert "_hparams_/experiment" not in aligned.summary_metadata
    assert not (tiny_runs.aligned / "hparams.yaml").exists()
