from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tests.modules.alone import alignment, pretraining
from trace_lit.modules.optim import build_optimizer, build_schedule, learning_rate_share, scaled_learning_rate
from trace_lit.settings import OptimConfig

EVERYTHING = ("alignment.fusion=true", "alignment.reconstruction_weight=1", "alignment.classification_weight=1")


def kinds(module: nn.Module) -> tuple[set[str], set[str]]:
    """The names of the matrices and those of all other parameters, told by the modules that hold them."""
    matrices, others = set(), set()
    for prefix, part in module.named_modules():
        for name, _ in part.named_parameters(prefix, recurse=False):
            own = name.rsplit(".", 1)[-1]
            of_matrix = isinstance(part, (nn.Linear, nn.MultiheadAttention)) and own.endswith("weight")
            (matrices if of_matrix else others).add(name)
    return matrices, others


@pytest.mark.parametrize("module", [pretraining(), alignment(*EVERYTHING)], ids=["pretrain", "align"])
def test_matrices_decay_and_norms_biases_tokens_do_not(module) -> None:
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    decayed, plain = build_optimizer(module, OptimConfig(weight_decay=0.3)).param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
    matrices, others = kinds(module)
    assert {"encoder.cls", "encoder.mask_token", "encoder.channel_tokens.embedding"} <= {
        name.removeprefix("model.") for name in others
    }
    assert sorted(names[id(parameter)] for parameter in decayed["params"]) == sorted(matrices)
    assert sorted(names[id(parameter)] for parameter in plain["params"]) == sorted(others)


def test_a_frozen_parameter_is_left_out() -> None:
    module = alignment("alignment.learnable_temperature=false")
    groups = build_optimizer(module, OptimConfig()).param_groups
    chosen = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(chosen) == len(set(chosen))
    assert set(chosen) == {id(parameter) for parameter in module.parameters() if parameter.requires_grad}
    assert id(module.model.log_temperature) not in chosen


def test_the_learning_rate_warms_up_linearly_and_falls_as_a_cosine() -> None:
    config = OptimConfig(learning_rate=2.0, warmup_share=0.2, final_share=0.1)
    optimizer = build_optimizer(nn.Linear(2, 2), config)
    schedule = build_schedule(optimizer, config, total=50)
    rates = []
    for _ in range(51):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert rates[10] == pytest.approx(2.0)
    assert rates[30] == pytest.approx((2.0 + 0.2) / 2)  # half-way down
    assert rates[50] == pytest.approx(0.2)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize(("how", "fourfold"), [("none", 1.0), ("linear", 4.0), ("sqrt", 2.0)])
def test_the_learning_rate_grows_with_the_global_batch(how: str, fourfold: float) -> None:
    config = OptimConfig(learning_rate=0.01, scale_learning_rate=how, base_batch=64)
    assert scaled_learning_rate(config, 64) == 0.01
    assert scaled_learning_rate(config, 256) == pytest.approx(0.01 * fourfold)


def test_a_stage_scales_its_learning_rate_with_all_processes() -> None:
    module = pretraining(
        "optim={learning_rate: 0.01, scale_learning_rate: linear, base_batch: 64}", "data.batch_size=32"
    )
    data = SimpleNamespace(train_dataloader=lambda: range(5))
    module._trainer = SimpleNamespace(world_size=8, datamodule=data, precision_plugin=None)
    (group, _) = module.configure_optimizers()["optimizer"].param_groups
    assert group["initial_lr"] == pytest.approx(0.01 * 256 / 64)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_shortest_runs_have_a_learning_rate(total: int) -> None:
    shares = torch.tensor([learning_rate_share(step, total, OptimConfig()) for step in range(total + 1)])
    assert ((shares > 0) & (shares <= 1)).all()
    assert shares[0] == 1
