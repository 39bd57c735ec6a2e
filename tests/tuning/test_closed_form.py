from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from trace_lit.config import ConfigError
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import load_config
from trace_lit.tuning import closed_form
from trace_lit.tuning.build import build_tune_module
from trace_lit.tuning.closed_form import solve_head

STEPS = 500


@dataclass
class Solved:
    """A head solved on an encoder that was not trained, and what it says of 50 windows of the test."""

    weight: Tensor
    predicted: Tensor
    predicted_of_double: Tensor  # of the same windows at twice their values
    metrics: dict[str, float]


def write(folder: Path, **series: np.ndarray) -> Corpus:
    """Series of hours that all begin at once."""
    records = [
        Record(
            f"{name}{first}",
            name,
            datetime(2024, 1, 1) + timedelta(hours=first),
            values[None, first : first + 20],
            label=("low", "high")[first // 20 % 2],
        )
        for name, values in series.items()
        for first in range(0, STEPS - 19, 20)
    ]
    info = CorpusInfo("sea", folder.name, "made up", (Channel("tide", "m"),), "1h", ("low", "high"))
    return write_corpus(records, info, folder)


def solve(values: np.ndarray, folder: Path, words: tuple[str, ...], *more: str) -> Solved:
    corpus = write(folder, tide=values)
    tune = "window={lookback: 24, horizon: 6, split: steps}"
    config = load_config([], [*words, f"data.corpus={corpus.path}", "stage=tune", tune, *more])
    data = build_datamodule(config)
    data.prepare_data()
    data.setup("fit")
    torch.manual_seed(0)
    module = build_tune_module(config, data, None)
    metrics = solve_head(module, data, torch.device("cpu"))
    batch = data.datasets["test"][0][list(range(50))]
    module.eval()
    with torch.no_grad():
        predicted, double = (module.predict(own).flatten(1) for own in (batch, replace(batch, values=2 * batch.values)))
    return Solved(module.model.head.projection.weight.detach(), predicted, double, metrics)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def tide() -> np.ndarray:
    steps = np.arange(STEPS)
    noise = np.random.default_rng(0).normal(size=STEPS)
    return 5 + np.sin(2 * np.pi * steps / 12) + 0.5 * np.sin(2 * np.pi * steps / 31) + 0.1 * noise


def test_windows_at_other_multiples_teach_not_to_mind_the_level(tide, tmp_path: Path, tiny_words) -> None:
    words = (*tiny_words, "encoder.centre=last", "encoder.spread=channel")
    plain = solve(tide, tmp_path / "a", words)
    gained = solve(tide, tmp_path / "b", words, "window.augmentation_scales=[0.5,2.0]")
    off, less = ((own.predicted_of_double - 2 * own.predicted).square().mean() for own in (plain, gained))
    assert less < 0.5 * off


def test_the_validation_windows_are_learned_from_where_that_is_asked_for(tide, tmp_path: Path, tiny_words) -> None:
    changed = tide.copy()
    changed[350:400] *= 1.5  # the validation part
    one = "head.penalties=[0.1]"
    heads = {
        (number, refit): solve(values, tmp_path / f"{number}{refit}", tiny_words, one, f"head.refit={refit}").weight
        for number, values in enumerate((tide, changed))
        for refit in ("true", "false")
    }
    torch.testing.assert_close(heads[0, "false"], heads[1, "false"])
    assert (heads[0, "true"] - heads[1, "true"]).norm() > 0.1 * heads[0, "true"].norm()


def test_windows_are_as_far_apart_as_asked_for_in_both_parts(tide, tmp_path: Path, tiny_words, monkeypatch) -> None:
    seen = []
    made = closed_form._examples
    monkeypatch.setattr(closed_form, "_examples", lambda *given: seen.append(made(*given)) or seen[-1])
    solve(tide, tmp_path, tiny_words, "window.stride=7", "window.augmentation_scales=[2.0]")
    (examples,) = seen
    for part in (examples.learned, ~examples.learned):
        assert part.any()
        hours = examples.origin[part].unique() // 3600
        assert (hours.diff() == 7).all()


def test_what_is_penalised_matters_only_where_there_is_a_penalty(tide, tmp_path: Path, tiny_words) -> None:
    for number, (penalty, near) in enumerate((("1e-12", True), ("1.0", False))):
        outputs, changes = (
            solve(
                tide,
                tmp_path / f"{number}{how}",
                tiny_words,
                f"head.penalties=[{penalty}]",
                f"head.penalise={how}",
                "head.calendar=1",
            ).predicted
            for how in ("outputs", "changes")
        )
        assert ((outputs - changes).abs().max() < 1e-2) == near


def test_the_calendar_is_hardly_penalised(tide, tmp_path: Path, tiny_words) -> None:
    day = 3 * np.sin(2 * np.pi * np.arange(STEPS) / 24) + np.random.default_rng(0).normal(size=STEPS)
    with_day = solve(20 + day, tmp_path / "a", tiny_words, "head.penalties=[100]", "head.calendar=1")
    without = solve(20 + day, tmp_path / "b", tiny_words, "head.penalties=[100]")
    assert with_day.metrics["cv/MSE"] < 0.5 * without.metrics["cv/MSE"]


def test_impossible_settings_of_the_closed_form_are_refused(tiny_words) -> None:
    for word, message in (
        ("window.augmentation_scales=[0.5,-1]", "positive"),
        ("head.penalise=weights", "'outputs', 'changes'"),
        ("head={solver: sgd, refit: true}", "head.solver to ridge"),
    ):
        with pytest.raises(ConfigError, match=message):
            load_config([], [*tiny_words, "stage=tune", word])


def test_the_band_of_a_channel_is_as_wide_as_its_own_errors(tmp_path: Path, tiny_words) -> None:
    """One channel can be foreseen and one cannot; both bands hold what they promise."""
    random = np.random.default_rng(1)
    wave = np.sin(2 * np.pi * np.arange(4 * STEPS) / 12)
    values = np.stack([wave + 0.02 * random.normal(size=len(wave)), random.normal(size=len(wave))])
    records = [
        Record(f"w{first}", "sea", datetime(2024, 1, 1) + timedelta(hours=first), values[:, first : first + 20])
        for first in range(0, 4 * STEPS - 19, 20)
    ]
    info = CorpusInfo("sea", "sea", "made up", (Channel("tide", "m"), Channel("foam", "%")), "1h")
    corpus = write_corpus(records, info, tmp_path / "sea")
    tune = ("window={lookback: 24, horizon: 6, split: steps}", "head={quantiles: [0.1, 0.5, 0.9]}")
    config = load_config([], [*tiny_words, f"data.corpus={corpus.path}", "stage=tune", *tune])
    data = build_datamodule(config)
    data.prepare_data()
    data.setup("fit")
    module = build_tune_module(config, data, None)
    solve_head(module, data, torch.device("cpu"))
    module.eval()
    dataset = data.datasets["test"][0]
    batch = dataset[list(range(len(dataset)))]
    with torch.no_grad():
        low, _, high = module.predict(batch).unbind(-1)
    held = ((low <= batch.future) & (batch.future <= high)).float().mean((0, 2))
    assert ((held > 0.7) & (held < 0.9)).all(), held
    assert (high - low).mean((0, 2))[1] > 5 * (high - low).mean((0, 2))[0]


def told_of(corpora: list[Corpus], words: tuple[str, ...], *more: str) -> dict[str, float]:
    """How the head was chosen from the windows of several corpora."""
    folders = ",".join(str(corpus.path) for corpus in corpora)
    config = load_config([], [*words, f"data.corpus=[{folders}]", "stage=tune", "window.lookback=24", *more])
    data = build_datamodule(config)
    data.prepare_data()
    data.setup("fit")
    return solve_head(build_tune_module(config, data, None), data, torch.device("cpu"))


@pytest.mark.parametrize("apart", ["series", "corpora"])
def test_a_time_is_not_predicted_from_other_windows_of_that_time(apart: str, tmp_path: Path, tiny_words) -> None:
    """Noise cannot be foreseen, unless a copy of it tells; copies begin at once and are blocked at once."""
    noise = np.random.default_rng(0).normal(size=STEPS)
    rough = ("window={horizon: 6, split: steps, stride: 3}", "head={penalties: [1e-6]}", "encoder.patch_length=2")
    if apart == "series":
        corpora = [write(tmp_path / "both", one=noise, two=noise, three=noise)]
    else:
        corpora = [write(tmp_path / name, tide=noise) for name in ("one", "two", "three")]
    assert told_of(corpora, tiny_words, *rough)["cv/MSE"] > 0.9


@pytest.mark.parametrize("task", ["forecast", "classify"])
def test_blocks_keep_apart_look_backs_and_horizons(task: str, tide, tmp_path, tiny_words, monkeypatch) -> None:
    seen = []

    def spy(solve, features, begin, origin, end, block, asked):
        seen.append((begin, origin, end))
        return blocked(solve, features, begin, origin, end, block, asked)

    blocked = closed_form.blocked_predictions
    monkeypatch.setattr(closed_form, "blocked_predictions", spy)
    told_of(
        [write(tmp_path / "c", tide=tide)],
        tiny_words,
        f"tune={{task: {task}}}",
        "window={horizon: 6}",
        "head={folds: 3}",
    )
    (begin, origin, end), *_ = seen  # once more for each penalty beyond the list
    assert ((origin - begin)[1:] == 24 * 3600).all()  # of labels, the first has less before it
    assert (end - origin == 6 * 3600).all()


def test_a_penalty_that_is_not_chosen_leaves_no_trace(tide, tmp_path: Path, tiny_words) -> None:
    quantiles = "head.quantiles=[0.1,0.5,0.9]"
    alone, beside = (
        solve(tide, tmp_path / str(number), tiny_words, quantiles, f"head.penalties={penalties}")
        for number, penalties in enumerate(("[0.03]", "[100,0.03]"))
    )
    assert beside.metrics["cv/penalty"] == 0.03
    torch.testing.assert_close(alone.predicted, beside.predicted, atol=1e-4, rtol=1e-4)
