"""The frozen forecasters, on tiny models with random weights that the packages themselves write."""

from __future__ import annotations

import json
import math
import socket
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from torch import Tensor
from transformers import (
    T5Config,
    TimesFm2_5Config,
    TimesFm2_5ModelForPrediction,
    TimesFmConfig,
    TimesFmModelForPrediction,
)
from transformers.utils import logging as transformers_logging

from tests.batches import make_batch, make_vocabulary
from trace_lit.config import ConfigError, import_class
from trace_lit.encoder.patches import InstanceNorm
from trace_lit.models import BACKBONES, MODELS
from trace_lit.rag.forecasters import (
    BackboneForecast,
    FrozenForecaster,
    ZeroShotForecast,
    load_forecaster,
)
from trace_lit.settings import load_config

PATCH, CONTEXT = 8, 64
LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
T5 = {"d_model": 32, "d_ff": 64, "d_kv": 8, "num_heads": 4, "num_layers": 2, "vocab_size": 8}
CHRONOS = {"context_length": CONTEXT, "input_patch_size": PATCH, "input_patch_stride": PATCH, "quantiles": LEVELS}
TIMESFM = {
    "patch_length": PATCH,
    "context_length": CONTEXT,
    "horizon_length": 16,
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "head_dim": 8,
    "num_attention_heads": 4,
}


def make_moment() -> Any:
    moment = pytest.importorskip("momentfm")
    config = {
        "task_name": "reconstruction",
        "model_name": "MOMENT",
        "transformer_type": "encoder_only",
        "transformer_backbone": "google/flan-t5-small",
        "d_model": None,
        "seq_len": CONTEXT,
        "patch_len": PATCH,
        "patch_stride_len": PATCH,
        "t5_config": {**T5, "feed_forward_proj": "gated-gelu"},
    }
    return moment.MOMENTPipeline(config, model_kwargs={"enable_gradient_checkpointing": False})


def make_chronos_bolt() -> Any:
    bolt = pytest.importorskip("chronos.chronos_bolt")
    own = {**CHRONOS, "prediction_length": 16, "use_reg_token": True}
    config = T5Config(
        **T5, feed_forward_proj="relu", decoder_start_token_id=0, chronos_config=own, architectures=[FOLDERS["bolt"][1]]
    )
    return bolt.ChronosBoltModelForForecasting(config)


def make_chronos2() -> Any:
    chronos = pytest.importorskip("chronos.chronos2")
    own = {**CHRONOS, "output_patch_size": PATCH, "use_reg_token": True, "use_arcsinh": True, "max_output_patches": 2}
    config = chronos.model.Chronos2CoreConfig(**T5, chronos_config=own, architectures=["Chronos2Model"])
    return chronos.Chronos2Model(config)


def make_timesfm() -> Any:
    return TimesFmModelForPrediction(TimesFmConfig(**TIMESFM, use_positional_embedding=True))


def make_timesfm25() -> Any:
    return TimesFm2_5ModelForPrediction(TimesFm2_5Config(**TIMESFM, num_key_value_heads=4, output_quantile_len=32))


FOLDERS = {
    "moment": ("moment", "", make_moment),
    "bolt": ("chronos_bolt", "ChronosBoltModelForForecasting", make_chronos_bolt),
    "chronos2": ("chronos2", "", make_chronos2),
    "timesfm": ("timesfm", "", make_timesfm),
    "timesfm25": ("timesfm", "", make_timesfm25),
}
KINDS = pytest.mark.parametrize("kind", list(FOLDERS))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes a tiny model of a kind, once, and says where it is."""
    made: dict[str, Path] = {}
    place = tmp_path_factory.mktemp("forecasters")

    def folder(kind: str) -> Path:
        if kind not in made:
            torch.manual_seed(0)
            network = FOLDERS[kind][2]()
            for parameter in network.parameters():
                if parameter.dim() > 1:
                    torch.nn.init.normal_(parameter, std=0.3)
            transformers_logging.disable_progress_bar()
            network.save_pretrained(place / kind)
            made[kind] = place / kind
        return made[kind]

    return folder


@pytest.fixture(scope="module")
def load(folders: Any) -> Any:
    return lambda kind: load_forecaster(FOLDERS[kind][0], str(folders(kind)))


def series(count: int = 4, steps: int = 32, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return 50 + torch.randn(count, steps, generator=generator).cumsum(-1), torch.ones(count, steps, dtype=torch.bool)


def own_states(kind: str, network: Any, values: Tensor) -> Tensor:
    """What the package itself makes of whole windows of whole patches."""
    if kind == "moment":
        before = CONTEXT - values.shape[1]
        padded = torch.nn.functional.pad(values, (before, 0)).unsqueeze(1)
        mask = torch.ones(len(values), CONTEXT)
        mask[:, :before] = 0
        found = network.embed(x_enc=padded, input_mask=mask, reduction="none").embeddings[:, 0]
        return found[:, before // PATCH :]
    if kind == "bolt":
        from chronos import ChronosBoltPipeline

        return ChronosBoltPipeline(network).embed(values)[0]
    if kind == "chronos2":
        from chronos import Chronos2Pipeline

        return torch.cat(Chronos2Pipeline(network).embed(values.unsqueeze(1))[0])
    found = network(past_values=list(values), **({"forecast_context_len": values.shape[1]} if "25" in kind else {}))
    return found.last_hidden_state[:, -1:]


@KINDS
@torch.no_grad()
def test_without_a_prompt_the_hidden_states_are_the_packages_own(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values, observed = series()
    hidden = forecaster(values, observed)
    own = own_states(kind, forecaster.network, values)
    assert hidden.shape == (4, forecaster.tokens(32), forecaster.width)
    torch.testing.assert_close(hidden[:, : own.shape[1]], own, atol=2e-4, rtol=2e-4)
    assert own.shape[1] == hidden.shape[1] - (kind == "bolt")  # whose decoder's state comes last


@torch.no_grad()
def test_the_last_state_of_chronos_bolt_is_the_one_that_its_own_forecast_is_read_from(load: Any) -> None:
    forecaster = load("bolt")
    values, observed = series()
    network = forecaster.network
    found = network.output_patch_embedding(forecaster(values, observed)[:, -1]).unflatten(-1, (len(LEVELS), -1))
    mean, deviation = forecaster.level(values, observed)
    own = forecaster.native(values, observed, 16, LEVELS)
    torch.testing.assert_close((found * deviation.unsqueeze(-1) + mean.unsqueeze(-1)).transpose(1, 2), own)


@torch.no_grad()
def test_timesfm_2_0_knows_padding_as_its_own_model_does(load: Any) -> None:
    forecaster = load("timesfm")
    values, observed = series(3, 30)
    observed[0, :12] = False  # a patch of nothing, and one that begins within
    padded = torch.nn.functional.pad(torch.where(observed, values, 0.0), (2, 0))
    padding = 1.0 - torch.nn.functional.pad(observed.float(), (2, 0))
    own = forecaster.network.decoder(padded, padding, torch.zeros(3, 1, dtype=torch.int64)).last_hidden_state
    torch.testing.assert_close(forecaster(values, observed), own[:, -1:], atol=2e-4, rtol=2e-4)


@KINDS
def test_it_is_frozen_and_a_gradient_reaches_the_prompt(kind: str, load: Any) -> None:
    forecaster = load(kind).train()
    assert not any(module.training for module in forecaster.modules())
    assert not any(parameter.requires_grad for parameter in forecaster.parameters())
    values, observed = series()
    assert not forecaster(values, observed).requires_grad
    prompt = torch.randn(4, 1, forecaster.width, requires_grad=True)
    hidden = forecaster(values, observed, prompt)
    assert hidden.shape == (4, forecaster.tokens(32, prompted=True), forecaster.width)
    hidden.square().sum().backward()
    assert prompt.grad is not None
    assert (prompt.grad.abs().sum((1, 2)) > 0).all()
    assert all(parameter.grad is None for parameter in forecaster.parameters())


@KINDS
@torch.no_grad()
def test_the_prompt_stands_where_the_kind_of_model_takes_it(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values, observed = series()
    plain = forecaster(values, observed)
    prompt = torch.randn(4, 1, forecaster.width, generator=torch.Generator().manual_seed(0))
    prompted = forecaster(values, observed, prompt)
    if kind in ("moment", "chronos2"):  # before the hidden states
        torch.testing.assert_close(prompted, torch.cat([prompt, plain], dim=1))
    else:  # where every token sees it
        assert prompted.shape == plain.shape
        assert ((prompted - plain).abs().amax(-1) > 1e-3).all()


@pytest.mark.parametrize("kind", ["timesfm", "timesfm25"])
@torch.no_grad()
def test_every_step_of_a_decoder_sees_the_prompt_and_none_what_is_to_come(kind: str, load: Any) -> None:
    forecaster = load(kind)
    decoder = getattr(forecaster.network, "decoder", None) or forecaster.network.model
    seen: list[Tensor] = []
    decoder.layers[-1].register_forward_hook(lambda module, inputs, output: seen.append(output))
    values, observed = series()
    for prompt in (torch.ones(4, 1, 32), torch.randn(4, 1, 32)):
        forecaster(values, observed, prompt)
    assert seen[0].shape == (4, 1 + 32 // PATCH, 32)
    assert ((seen[0] - seen[1]).abs().amax(-1) > 1e-3).all()
    changed = torch.cat([values[:, :-PATCH], values[:, -PATCH:].flip(-1) + 1], dim=1)
    forecaster(changed, observed, torch.ones(4, 1, 32))
    torch.testing.assert_close(seen[2][:, :-1], seen[0][:, :-1], atol=2e-4, rtol=2e-4)
    assert not torch.allclose(seen[2][:, -1], seen[0][:, -1])


@KINDS
@torch.no_grad()
def test_what_is_missing_does_not_count(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values, observed = series(5, 30)
    observed[1, :20] = observed[2, 10:14] = observed[3] = observed[4, -3:] = False
    prompt = torch.randn(5, 1, forecaster.width)
    for given in (None, prompt):
        one, other = (forecaster(torch.where(observed, values, filled), observed, given) for filled in (0.0, 1e6))
        assert one.isfinite().all()
        torch.testing.assert_close(one, other)
    assert not torch.allclose(one[2], forecaster(values, torch.ones_like(observed), prompt)[2], atol=1e-3)
    for number in forecaster.level(torch.where(observed, values, 1e6), observed):
        assert (number.abs() < 1e3).all()


@pytest.mark.parametrize("kind", ["moment", "timesfm", "timesfm25"])
@torch.no_grad()
def test_a_gap_in_a_straight_line_is_no_gap(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values = torch.linspace(3, 9, 32).repeat(2, 1)
    observed = torch.ones(2, 32, dtype=torch.bool)
    observed[0, 13:15] = observed[1, 18:22] = False
    whole = forecaster(values, torch.ones_like(observed))
    torch.testing.assert_close(forecaster(torch.where(observed, values, 0.0), observed), whole, atol=2e-4, rtol=2e-4)


@KINDS
@torch.no_grad()
def test_a_flat_beginning_and_a_flat_window_are_not_blown_up(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values, observed = series(3)
    usual = forecaster(values, observed).abs().max()
    values[0, :PATCH] = 0.0
    values[1] = 7.0
    values[2, :-1] = 7.0
    assert forecaster(values, observed).abs().max() < 10 * usual


@KINDS
@torch.no_grad()
def test_any_length_will_do(kind: str, load: Any) -> None:
    forecaster = load(kind)
    for steps in (1, 7, 8, 30, CONTEXT, CONTEXT + 36):
        values, observed = series(2, steps)
        hidden = forecaster(values, observed, torch.randn(2, 1, forecaster.width))
        assert hidden.shape == (2, forecaster.tokens(steps, prompted=True), forecaster.width)
        assert hidden.isfinite().all()
    torch.testing.assert_close(forecaster(values, observed), forecaster(values[:, -CONTEXT:], observed[:, -CONTEXT:]))


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "moment"])
@torch.no_grad()
def test_its_own_forecasts(kind: str, load: Any) -> None:
    forecaster = load(kind)
    values, observed = series(5, 30)
    observed[1, :20] = observed[2, 10:14] = observed[3] = observed[4, -3:] = False
    found = forecaster.native(torch.where(observed, values, 0.0), observed, 40, [0.1, 0.45, 0.5])
    assert found.shape == (5, 40, 3)
    assert found.isfinite().all()
    around = forecaster.native(torch.where(observed, values, 0.0), observed, 40, [0.4, 0.5])
    torch.testing.assert_close(around[..., 1], found[..., 2])
    torch.testing.assert_close(around.mean(-1), found[..., 1], atol=1e-2, rtol=1e-4)  # 0.45 lies between 0.4 and 0.5
    if "timesfm" in kind:
        values, observed = series()
        more = {"forecast_context_len": 32, "truncate_negative": False} if "25" in kind else {}
        own = forecaster.network(past_values=list(values), **more).full_predictions
        torch.testing.assert_close(forecaster.native(values, observed, 16, LEVELS), own[..., 1:])


# The head


@KINDS
def test_a_head_starts_as_the_naive_forecast_and_no_checkpoint_holds_the_forecaster(kind: str, load: Any) -> None:
    model = BackboneForecast(load(kind), make_vocabulary(), 24, 5, outputs=3, harmonics=1)
    batch = make_batch(missing=0.2)
    forecast = model(batch)
    assert forecast.values.shape == (6, 3, 5, 3)
    steps = torch.arange(24)
    last = (batch.observed * steps).argmax(-1, keepdim=True)
    torch.testing.assert_close(forecast.values[..., 0, 0], batch.values.gather(-1, last)[..., 0])
    weights = model.state_dict()
    assert set(weights) == {"head.projection.weight", "head.projection.bias"}
    again = BackboneForecast(load(kind), make_vocabulary(), 24, 5, outputs=3, harmonics=1)
    weights = {name: torch.randn_like(weight) for name, weight in weights.items()}
    again.load_state_dict(weights)
    assert not torch.allclose(again(batch).values, forecast.values)
    with pytest.raises(RuntimeError, match=r"head\.projection\.bias"):
        again.load_state_dict({"head.projection.weight": weights["head.projection.weight"]})


@KINDS
def test_channels_are_forecast_one_by_one(kind: str, load: Any) -> None:
    model = BackboneForecast(load(kind), make_vocabulary(), 24, 5)
    batch = make_batch()
    features = model.features(batch)
    batch.values[:, 1] += torch.linspace(0, 5, 24).sin()
    changed = model.features(batch)
    torch.testing.assert_close(changed[:, [0, 2]], features[:, [0, 2]], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(changed[:, 1], features[:, 1], atol=1e-3)


def test_the_head_sees_how_wide_a_window_is_and_where_its_last_value_stands(load: Any) -> None:
    model = BackboneForecast(load("bolt"), make_vocabulary(), 24, 5)
    batch = make_batch()
    features = model.features(batch)
    deviation = 1.0 + torch.arange(3)  # of make_vocabulary
    expected = torch.stack([batch.values.std(-1, correction=0), batch.values.mean(-1) - batch.values[..., -1]], -1)
    torch.testing.assert_close(features[..., -2:], expected / deviation[:, None], atol=1e-4, rtol=1e-4)
    level = batch.values[..., -1:]
    batch.values = level + 3 * (batch.values - level)
    wider = model.features(batch)
    torch.testing.assert_close(wider[..., :-2], features[..., :-2], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(wider[..., -2:], 3 * features[..., -2:], atol=1e-3, rtol=1e-3)


def test_a_forecaster_by_itself_forecasts_in_units(load: Any) -> None:
    forecaster = load("bolt")
    batch = make_batch(missing=0.2)
    model = ZeroShotForecast(forecaster, make_vocabulary(), 5, [0.1, 0.5, 0.9])
    own = forecaster.native(batch.values.flatten(0, 1), batch.observed.flatten(0, 1), 5, [0.1, 0.5, 0.9])
    forecast = model(batch)
    assert isinstance(forecast.norm, InstanceNorm)
    torch.testing.assert_close(forecast.values, own.sort(-1).values.unflatten(0, (6, 3)), atol=1e-3, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(ConfigError, match="needs a head"):
        ZeroShotForecast(load("moment"), make_vocabulary(), 5)


# What the person at the keyboard can get wrong


def test_every_backbone_of_the_configuration_can_be_loaded() -> None:
    for name in BACKBONES:
        assert MODELS[name].hub
        assert issubclass(import_class(MODELS[name].path, FrozenForecaster, "tune.model"), FrozenForecaster)


def test_a_model_of_another_kind_is_named(folders: Any) -> None:
    with pytest.raises(ConfigError, match=r"architecture 'Chronos2Model', but tune\.model=chronos_bolt takes"):
        load_forecaster("chronos_bolt", str(folders("chronos2")))
    with pytest.raises(ConfigError, match=r"tune\.model=timesfm takes"):
        load_forecaster("timesfm", str(folders("chronos2")))


@KINDS
def test_weights_that_are_missing_are_named(kind: str, folders: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in folders(kind).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in sorted(weights) if "final_layer_norm" in name or "layernorm" in name)
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match=f"1 tensors are missing, the first is '{gone}'"):
        load_forecaster(FOLDERS[kind][0], str(tmp_path))


def test_a_damaged_or_empty_folder_is_named(folders: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no model"):
        load_forecaster("chronos2", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["Chronos2Model"]}))
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="cannot be read as a forecaster"):
        load_forecaster("chronos2", str(tmp_path))


def test_no_network_and_a_name_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match=r"tune\.backbone='amazon/chronos-2' is no folder, .* cannot be reached"):
        load_forecaster("chronos2")
    with pytest.raises(ConfigError, match="nor can it be a name on the Hugging Face hub"):
        load_forecaster("timesfm", "no/such/folder")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "momentfm", None)
    with pytest.raises(ConfigError, match=r"needs the package momentfm .*pip install --no-deps momentfm"):
        load_forecaster("moment")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tune.model=moment", "tune.scope=lora"], "stays frozen"),
        (["tune.backbone=somewhere"], "tune.backbone is 'somewhere', but tune.model is trace"),
        (["head.solver=none"], "takes the forecasts that a model makes by itself"),
        (["tune.model=chronos2", "tune.task=classify"], "must be one of"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config([], ["stage=tune", *words])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["moment", "timesfm"])
def test_a_fit_from_the_command_line(
    kind: str, folders: Any, tiny_runs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace_lit.modules.checkpoint._FREE", 0)  # the forecaster is larger than what a run keeps
    from trace_lit.cli import main
    from trace_lit.modules import load_checkpoint
    from trace_lit.runs.folder import read_metrics

    words = [
        *tiny_runs.words,
        f"run.dir={tmp_path}",
        "stage=tune",
        "window={lookback: 24, horizon: 6, stride: 4}",
        "head={calendar: 1}",
    ]
    words += [f"tune.model={FOLDERS[kind][0]}", f"tune.backbone={folders(kind)}"]
    augmented = ["rag={mode: series, use_futures: true, top: 2, stride: 4}", f"rag.retriever={tiny_runs.aligned}"]
    fits = {
        "solved": [],
        "steps": ["head.solver=sgd", "trainer.max_epochs=1", *augmented],
        "alone": ["head.solver=none", "head.quantiles=[0.1,0.5,0.9]"],
    }
    if kind == "moment":
        del fits["alone"]
    for name, more in fits.items():
        assert main(["fit", *words, f"run.name={name}", *more]) == 0
        run = tmp_path / "weather" / "tune" / name
        assert main(["evaluate", str(run)]) == 0
        metrics = read_metrics(run)
        assert math.isfinite(metrics["test/MSE"])
        trained = {"solved", "steps"} & {name}
        assert bool(metrics["fit/trained_parameters"]) == bool(trained)
        weights = load_checkpoint(run).weights
        assert not any(".network." in key for key in weights)
        if name == "steps":
            assert weights["model.neighbours.prompt.projection.weight"].abs().sum() > 0
            assert weights["model.head.projection.weight"].abs().sum() > 0
