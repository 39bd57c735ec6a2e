from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.encoder import build_encoder
from trace_lit.inference.loaded import encoder_of
from trace_lit.modules import AtomicCheckpointIO, CheckpointError, load_checkpoint
from trace_lit.modules.checkpoint import CHECKPOINT_KEY, FORMAT, contents
from trace_lit.settings import load_config

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    """What the checkpoint of a run of stage pretrain holds, as far as use needs it."""
    config = load_config([], ["encoder.width=16", "encoder.heads=2", "encoder.layers=1"])
    channel = Channel("tide", "m")
    vocabulary = ChannelVocabulary().extended([channel], torch.ones(1, 4), [1.0], [2.0])
    weights = build_encoder(config.encoder, vocabulary).state_dict()
    return {
        CHECKPOINT_KEY: contents(config, vocabulary, [], "f" * 64, tmp_path),
        "state_dict": {f"encoder.{name}": weight for name, weight in weights.items()},
        "epoch": 0,
        "global_step": 3,
    }


@pytest.fixture
def written(content: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint(content, path)
    return path


def test_what_was_written_is_read(written: Path, content: dict[str, Any]) -> None:
    checkpoint = load_checkpoint(written, "pretrain")
    assert checkpoint.step == 3
    assert all(torch.equal(weight, content["state_dict"][name]) for name, weight in checkpoint.weights.items())


def test_a_flipped_bit_is_never_read_as_another_weight(written: Path, content: dict[str, Any]) -> None:
    whole, draw = written.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(300):
        flipped, place = bytearray(whole), draw.randrange(len(whole))
        flipped[place] ^= 1 << draw.randrange(8)
        written.write_bytes(flipped)
        try:
            checkpoint = load_checkpoint(written)
        except CheckpointError as error:
            refused += "\n" not in str(error)
            continue
        assert all(torch.equal(weight, content["state_dict"][name]) for name, weight in checkpoint.weights.items())
    assert refused > 150  # the others lie between the parts, where nothing stands


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_part_of_a_checkpoint_is_none(written: Path, share: float) -> None:
    whole = written.read_bytes()
    written.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match=r"last\.ckpt cannot be read, it is damaged or no checkpoint: "):
        load_checkpoint(written)


def test_what_is_compressed_is_not_unpacked(written: Path) -> None:
    with zipfile.ZipFile(written.with_name("bomb.ckpt"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 10_000_000)
    with pytest.raises(CheckpointError, match="its parts are compressed"):
        load_checkpoint(written.with_name("bomb.ckpt"))


def own(key: str, value: Any) -> Change:
    return lambda content: content[CHECKPOINT_KEY].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content.pop(CHECKPOINT_KEY), "is not a checkpoint of trace_lit"),
        (lambda content: content[CHECKPOINT_KEY].pop("vocabulary"), "it has no vocabulary"),
        (lambda content: content.pop("state_dict"), "it has no weights"),
        (lambda content: content["state_dict"].__setitem__("encoder.cls", "text"), "it has no weights"),
        (lambda content: content.pop("epoch"), "after which step"),
        (own("format", FORMAT + 1), f"has format {FORMAT + 1}, which a newer trace_lit has written"),
        (own("stage", 3), "stage is a int"),
        (own("config", {"encoder": {"width": "wide"}}), "another version of trace_lit"),
        (own("config", {"encoder": {"width": -1}}), "another version of trace_lit: encoder.width is -1"),
        (own("config", {"run": {"name": "${oc.env:HOME}"}}), "an interpolation"),
        (own("config", {"nothing": 1}), "another version of trace_lit"),
        (own("vocabulary", {"keys": ["a", "b"]}), "its description is none"),
        (
            own("vocabulary", {"keys": ["a"], "mean": [], "deviation": [1.0], "name_vectors": torch.ones(1, 4)}),
            "1 channels",
        ),
        (own("corpora", [{"domain": "../.."}]), "another version of trace_lit: "),
        (own("config", {"encoder": {"width": 6 * 2**30}}), "an encoder of width 6442450944"),
        (own("corpora", [3]), "its description is none"),
        (own("label_names", [1]), "a name in it is no text"),
        (lambda content: content.__setitem__("loops", {"fit_loop": 3}), "its loops are none of Lightning's"),
    ],
)
def test_odd_content_is_one_sentence(content: dict[str, Any], change: Change, reason: str, tmp_path: Path) -> None:
    change(content)
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint(tmp_path / "last.ckpt")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change", [lambda weights: weights.popitem(), lambda weights: weights.update(cls=torch.ones(3))]
)
def test_weights_of_another_model_are_one_sentence(content: dict[str, Any], change: Change, tmp_path: Path) -> None:
    weights = {name.removeprefix("encoder."): weight for name, weight in content["state_dict"].items()}
    change(weights)
    content["state_dict"] = {f"encoder.{name}": weight for name, weight in weights.items()}
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt does not hold the weights of the model that it describes"):
        encoder_of(load_checkpoint(tmp_path / "last.ckpt"))


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.float64, torch.float8_e5m2])
def test_weights_that_are_not_finite_are_named(
    content: dict[str, Any], kind: torch.dtype, value: float, tmp_path: Path
) -> None:
    weights = content["state_dict"]
    name = sorted(weights)[-1]
    weights[name].view(-1)[1] = value
    weights[name] = weights[name].to(kind)
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=rf"1 of the {weights[name].numel():,} numbers of the weight '{name}'"):
        load_checkpoint(tmp_path / "last.ckpt")


@pytest.mark.parametrize(("value", "refused"), [(torch.nan, True), (-torch.inf, False)])
def test_a_mask_in_a_class_of_ones_own_may_be_infinite(
    content: dict[str, Any], value: float, refused: bool, tmp_path: Path
) -> None:
    content[CHECKPOINT_KEY]["config"]["encoder"]["name"] = "mine:Encoder"
    content["state_dict"]["model.encoder.mask"] = torch.tensor([0.0, value])
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    if not refused:
        load_checkpoint(tmp_path / "last.ckpt", trust=True)
        return
    with pytest.raises(CheckpointError, match=r"'model\.encoder\.mask' are NaN"):
        load_checkpoint(tmp_path / "last.ckpt", trust=True)


def test_weights_that_are_nowhere_are_none(content: dict[str, Any], tmp_path: Path) -> None:
    content["state_dict"] = {name: weight.to("meta") for name, weight in content["state_dict"].items()}
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match="it has no weights"):
        load_checkpoint(tmp_path / "last.ckpt")


@pytest.mark.parametrize(("key", "value"), [("ffn_ratio", 10**6), ("patch_length", 10**8), ("layers", 10**7)])
def test_a_model_larger_than_the_weights_is_not_built(
    content: dict[str, Any], key: str, value: int, tmp_path: Path
) -> None:
    content[CHECKPOINT_KEY]["config"]["encoder"][key] = value
    AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match="its weights"):
        encoder_of(load_checkpoint(tmp_path / "last.ckpt"))


def test_a_cache_folder_that_holds_no_cache_is_not_written_to(content: dict[str, Any], tmp_path: Path) -> None:
    own = content[CHECKPOINT_KEY]["config"]
    for section, kept in (("text", "a.vectors"), ("data", "built/corpus.yaml")):
        folder = tmp_path / section
        folder.mkdir()
        (folder / "notes.txt").write_text("somebody's")
        own[section]["cache_dir"] = str(folder)
        AtomicCheckpointIO().save_checkpoint(content, tmp_path / "last.ckpt")
        found = getattr(load_checkpoint(tmp_path / "last.ckpt").config, section).cache_dir
        assert found == getattr(load_config([]), section).cache_dir
        (folder / kept).parent.mkdir(exist_ok=True)
        (folder / kept).touch()
        assert getattr(load_checkpoint(tmp_path / "last.ckpt").config, section).cache_dir == str(folder)
