"""Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685) on the encoder's attention layers, with peft."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from trace_lit.encoder import Encoder
from trace_lit.errors import TrainingError

LAYERS = ("attention.input", "attention.output")
SCALE = 2  # of what an adapter adds, whatever its rank


def add_adapters(encoder: Encoder, rank: int) -> None:
    """Put adapters of `rank` on all attention layers; nothing else of the encoder is then trained.

    Raises
    ------
    TrainingError
        The package peft is not installed, or the encoder has no such layers.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise TrainingError("tune.scope=lora needs the package peft: pip install peft") from None
    adapters = LoraConfig(r=rank, lora_alpha=SCALE * rank, target_modules=list(LAYERS))
    try:
        inject_adapter_in_model(adapters, encoder)  # type: ignore[arg-type]
    except ValueError:  # there is nothing to put them on
        raise TrainingError(
            f"tune.scope is lora, but {type(encoder).__name__} has no layers named {' or '.join(LAYERS)} to adapt: take "
            "another tune.scope"
        ) from None
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_("lora_" in name)


def merge_adapters(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of an encoder without adapters that does what the one with these `weights` does."""
    merged = {}
    for name, weight in weights.items():
        layer, adapted, kind = name.partition(".base_layer.")
        if adapted and kind == "weight":
            down, up = (weights[f"{layer}.lora_{side}.default.weight"] for side in "AB")
            weight = weight + SCALE * up @ down
        if ".lora_" not in name:
            merged[f"{layer}.{kind}" if adapted else name] = weight
    return merged
