from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.batches import make_batch, make_vocabulary
from tests.modules.alone import AloneTune, config_of, tuning
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.config import ConfigError
from trace_lit.encoder import SeriesEncoder
from trace_lit.modules.adapters import merge_adapters

FORECAST = ("window={horizon: 5}", "head={solver: sgd}", "tune={scope: SCOPE}")
CLASSIFY = ("tune={task: classify, scope: SCOPE}", "head={solver: sgd}")
SCOPES = ("head", "head+tokens", "lora", "full")
KEPT = "tune.alignment_weight=1"


def of_scope(words: tuple[str, ...], scope: str) -> list[str]:
    return [word.replace("SCOPE", scope) for word in words]


@pytest.fixture
def batch() -> MultimodalBatch:
    batch = make_batch(missing=0.2)
    generator = torch.Generator().manual_seed(1)
    future = batch.values[..., -1:] + torch.randn(6, 3, 5, generator=generator).cumsum(-1)
    observed = torch.rand(future.shape, generator=generator) > 0.2
    label = torch.tensor([0, 1, 2, 0, NO_LABEL, NO_LABEL])
    return dataclasses.replace(batch, future=future * observed, future_observed=observed, label=label)


def without_gradient(module: AloneTune, batch: MultimodalBatch) -> list[str]:
    module.training_step(batch, 0).backward()
    trained = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
    assert all(weight.grad is None or weight.grad.isfinite().all() for _, weight in trained)
    return [name for name, weight in trained if weight.grad is None]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("task", [FORECAST, CLASSIFY])
def test_every_trained_parameter_has_a_gradient(task: tuple[str, ...], scope: str, batch: MultimodalBatch) -> None:
    """Data-parallel training would wait for one that has none, also where a batch has nothing to tell."""
    assert batch.future_observed is not None
    silent = dataclasses.replace(
        batch,
        future_observed=torch.zeros_like(batch.future_observed),
        label=torch.full_like(batch.label, NO_LABEL),
        text_mask=torch.zeros_like(batch.text_mask),
    )
    more = [] if scope == "head" else [[KEPT], [KEPT, "alignment={channel_score: false, fusion: true}"]]
    encoders = ["encoder.rotary=true", "encoder={channel_tokens: false, patch_identity: false}"]
    for words in ([], *more):
        for encoder in encoders:
            module = tuning(encoder, *of_scope(task, scope), *words)
            assert without_gradient(module, batch) == []
            assert without_gradient(module, silent) == []


@pytest.mark.parametrize("scope", SCOPES)
def test_the_scope_is_what_is_trained(scope: str) -> None:
    module = tuning(*of_scope(FORECAST, scope))
    trained = {name for name, weight in module.named_parameters() if weight.requires_grad}
    head = {name for name, _ in module.named_parameters() if name.startswith("model.head.")}
    assert head <= trained
    others = trained - head
    if scope == "head":
        assert not others
    elif scope == "head+tokens":
        assert others
        assert all("channel_tokens" in name for name in others)
    elif scope == "lora":
        layers = {name.split(".lora_")[0].split("blocks.0.")[1] for name in others}
        assert layers == {"attention.input", "attention.output"}
    else:
        assert {name for name, _ in module.named_parameters()} - trained == {"model.encoder.mask_token"}
    total, count = module.parameter_counts()
    assert count == sum(weight.numel() for weight in module.parameters() if weight.requires_grad) < total
    assert {module.rate_of(name) for name in head} == {1.0}
    assert {module.rate_of(name) for name in others} <= {0.1}


@pytest.mark.parametrize("words", [FORECAST, CLASSIFY])
def test_adapters_begin_as_nothing_and_can_be_merged(words: tuple[str, ...], batch: MultimodalBatch) -> None:
    encoder = "encoder.layers=2"
    module = tuning(encoder, *of_scope(words, "lora"))
    plain = tuning(encoder, *of_scope(words, "full"))
    plain.encoder.load_state_dict(merge_adapters(module.encoder.state_dict()))
    plain.model.head.load_state_dict(module.model.head.state_dict())
    torch.testing.assert_close(module.predict(batch), plain.predict(batch))
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.3)
    other = SeriesEncoder(module.config.encoder, make_vocabulary())
    other.load_state_dict(merge_adapters(module.encoder.state_dict()))
    before = plain.encoder(batch).cls
    for with_patches in (True, False):  # without them, the last block takes a way of its own
        found = module.encoder(batch, with_patches=with_patches)
        torch.testing.assert_close(found.cls, other(batch, with_patches=with_patches).cls, atol=1e-5, rtol=1e-4)
        assert (found.cls - before).abs().max() > 1e-2


def test_the_loss_is_the_mean_over_what_is_observed(batch: MultimodalBatch) -> None:
    module = tuning(*of_scope(FORECAST, "full"))
    assert batch.future is not None
    forecast = module.model(batch)
    error = forecast.change.squeeze(-1) - forecast.norm.normalise(batch.future)
    expected = error[batch.future_observed].square().mean()
    assert module.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-5)
    errors, weight = module._errors(forecast, batch)
    module.validation_loss.update(errors, weight)
    assert module.validation_loss.compute().item() == pytest.approx(expected.item(), rel=1e-5)


def test_rare_labels_count_more_as_far_as_they_shall(batch: MultimodalBatch) -> None:
    labelled = batch.label != NO_LABEL
    for power, weight in ((1, [0.5, 2.0, 2.0]), (0.5, [0.5**0.5, 2**0.5, 2**0.5]), (0, [1.0, 1.0, 1.0])):
        module = tuning(*of_scope(CLASSIFY, "full"), f"tune.class_weights={power}")
        scores = module.model(batch)[labelled]
        expected = torch.nn.functional.cross_entropy(scores, batch.label[labelled], torch.tensor(weight))
        assert module.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-5)


def test_predictions_are_ascending_quantiles_or_probabilities(batch: MultimodalBatch) -> None:
    module = tuning(*of_scope(FORECAST, "full"), "head.quantiles=[0.1,0.5,0.9]")
    torch.nn.init.normal_(module.model.head.projection.weight)
    raw = module.model(batch).change
    assert (raw.diff(dim=-1) < 0).any()  # quantiles cross
    predicted = module.predict(batch)
    assert predicted.shape == (6, 3, 5, 3)
    assert (predicted.diff(dim=-1) >= 0).all()
    probabilities = tuning(*of_scope(CLASSIFY, "full")).predict(batch)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(6))


@pytest.mark.parametrize("model", ["trace", "nlinear"])
def test_a_channel_without_any_value_is_forecast_from_its_mean(model: str, batch: MultimodalBatch) -> None:
    observed = batch.observed.clone()
    observed[:, 1] = False
    batch = dataclasses.replace(batch, observed=observed, values=batch.values * observed)
    module = tuning(*of_scope(FORECAST, "full"), f"tune.model={model}")
    level = module.model(batch).norm.mean[:, 1]
    torch.testing.assert_close(level, torch.full((6, 1), 10.0))  # of make_vocabulary
    assert module.training_step(batch, 0).isfinite()


def test_the_alignment_counts_by_its_weight_and_teaches_the_encoder(batch: MultimodalBatch) -> None:
    losses = []
    for weight in (0, 1, 3):
        module = tuning(*of_scope(FORECAST, "full"), f"tune.alignment_weight={weight}")
        torch.manual_seed(2)
        losses.append(module.training_step(batch, 0).item())
        assert (module.aligned is None) == (weight == 0)
    assert losses[1] > losses[0]
    assert losses[2] - losses[0] == pytest.approx(3 * (losses[1] - losses[0]), rel=1e-4)
    gradients = []
    for text in (batch.text, batch.text.flip(0)):
        module = tuning(*of_scope(FORECAST, "full"), KEPT)
        module.training_step(dataclasses.replace(batch, text=text), 0).backward()
        gradients.append(module.encoder.cls.grad)
    assert not torch.allclose(*gradients)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([KEPT], "nothing of an encoder is tuned"),
        ([KEPT, "tune={model: nlinear, scope: full}", "head={solver: sgd}"], "nothing of an encoder is tuned"),
        (["tune={alignment_weight: -1, scope: full}", "head={solver: sgd}"], "must be 0 or positive"),
        (["tune.encoder_rate=-1"], "must be 0 or positive"),
        (["tune.scope=lora"], "solves the head alone"),
        (["head.quantiles=[0.9,0.1]"], "ascending"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(words: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        config_of("stage=tune", *words)


@pytest.mark.parametrize("model", ["nlinear", "dlinear", "patchtst"])
def test_every_parameter_of_a_baseline_has_a_gradient(model: str, batch: MultimodalBatch) -> None:
    module = tuning("window={horizon: 5}", f"tune={{model: {model}}}")
    assert sum(weight.numel() for weight in module.parameters()) > 0
    assert without_gradient(module, batch) == []


def test_steps_see_windows_at_the_multiples_that_are_asked_for(batch: MultimodalBatch, monkeypatch) -> None:
    seen: list[MultimodalBatch] = []
    module = tuning(*of_scope(FORECAST, "head"), "window.augmentation_scales=[0.5,3]")
    forward = module.model.forward
    monkeypatch.setattr(module.model, "forward", lambda given: seen.append(given) or forward(given))
    torch.manual_seed(0)
    for _ in range(40):
        module.training_step(batch, 0)
    assert batch.future is not None
    drawn = set()
    for given in seen:
        assert given.future is not None
        gain = (given.values.flatten(1).norm(dim=1) / batch.values.flatten(1).norm(dim=1)).round(decimals=3)
        torch.testing.assert_close(given.future, gain[:, None, None] * batch.future)
        drawn |= set(gain.tolist())
    assert drawn == {0.5, 1.0, 3.0}
    module.eval()
    module.predict(batch)
    torch.testing.assert_close(seen[-1].values, batch.values)


@pytest.mark.parametrize(
    ("words", "output", "message"),
    [
        (FORECAST, torch.zeros(3), r"forward gives a Tensor; it must give a Forecast"),
        (FORECAST, "nothing", r"forward gives a str; it must give a Forecast"),
        (CLASSIFY, torch.zeros(6, 9), r"forward gives \(6, 9\); it must give scores \(6, \d\)"),
    ],
)
def test_an_output_of_a_models_own_of_another_shape_is_refused(
    words: tuple[str, ...], output: object, message: str, batch: MultimodalBatch
) -> None:
    module = tuning(*of_scope(words, "full"))
    module.model.forward = lambda batch: output  # type: ignore[method-assign, assignment]
    with pytest.raises(ConfigError, match=message):
        module.training_step(batch, 0)
