"""Classes named in a configuration: what is imported, what is refused, and which keys were given."""

from __future__ import annotations

import copy
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import pytest
import torch

from trace_lit.config import (
    ConfigError,
    ForeignPath,
    build_object,
    given_keys,
    import_class,
    is_class_path,
    mark_foreign,
)
from trace_lit.settings import Config, load_config, to_dict, to_yaml

OWN = ("alignment.loss=mine:Loss", "callbacks=[{class: mine:Callback, every: 2}]", "logger=[csv, mine:Logger]")


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("my:Loss", True),
        ("package.module:Class", True),
        ("größe:Maß", True),
        ("wordllama", False),
        ("sentence-transformers/all-MiniLM-L6-v2", False),
        ("/models/of:mine", False),
        ("my:", False),
        (":Loss", False),
        (3, False),
    ],
)
def test_what_a_class_path_is(value: object, is_one: bool) -> None:
    assert is_class_path(value) is is_one


def test_a_class_that_a_file_names_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "strange.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ConfigError, match=r"theirs\.ckpt names the class 'strange:Loss' \(alignment\.loss\).*--trust"):
        import_class(ForeignPath("strange:Loss", "theirs.ckpt"), object, "alignment.loss")
    with pytest.raises(SystemExit, match="it ran"):
        import_class("strange:Loss", object, "alignment.loss")


def test_all_class_paths_of_a_configuration_are_marked_and_stay_so_in_a_copy() -> None:
    config = load_config([], OWN)
    mark_foreign(config, "theirs")
    for own in (config, copy.deepcopy(config)):
        paths = own.alignment.loss, own.callbacks[0]["class"], own.logger[1]
        assert all(isinstance(path, ForeignPath) and path.origin == "theirs" for path in paths)
        assert not isinstance(own.mining.miner, ForeignPath)
    assert {type(value) for value in to_dict(config)["callbacks"][0].values()} == {str, int}  # plain in a checkpoint
    assert to_yaml(config) == to_yaml(load_config([], OWN))


class Made:
    def __init__(self, place: int, *, size: int = 1) -> None:
        self.numbers = place, size


@pytest.mark.parametrize("options", [{"sise": 2}, {"place": 2}])
def test_an_option_that_a_class_does_not_take(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="cannot be made with the options given"):
        build_object(f"{__name__}:Made", Made, "some.key", 1, options=options)


class Plan(ABC):
    def __init__(self, size: int = 1) -> None:
        if size < 1:
            raise ValueError("no room")

    @abstractmethod
    def draw(self) -> None: ...


class Drawn(Plan):
    def draw(self) -> None: ...


class Blank(Plan): ...


def test_a_class_that_lacks_a_method_or_refuses_a_value_is_named() -> None:
    with pytest.raises(ConfigError, match=r"some\.key is '.*:Blank', which does not write draw; see Plan"):
        build_object(f"{__name__}:Blank", Plan, "some.key", options={})
    with pytest.raises(
        ConfigError, match=r"some\.key is '.*:Drawn', which cannot be made with the options given: no room"
    ):
        build_object(f"{__name__}:Drawn", Plan, "some.key", options={"size": 0})


def test_a_package_offers_the_classes_below_it() -> None:
    with pytest.raises(ConfigError, match=r"'Adamm' in torch\.optim is no Optimizer; those there are: .*\bAdamW\b"):
        import_class("torch.optim:Adamm", torch.optim.Optimizer, "optim.name")


def test_options_are_arguments() -> None:
    assert build_object(f"{__name__}:Made", Made, "some.key", 1, options={"size": 3}).numbers == (1, 3)


def test_the_keys_that_were_given(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("encoder: {width: 384}\ntrainer: {extra: {profiler: simple}}\n")
    config = load_config([file], ["seed=0"])
    assert given_keys(config) == {"encoder.width", "trainer.extra.profiler", "seed"}  # although two have their defaults
    config.optim.weight_decay = 0.1
    assert given_keys(copy.deepcopy(config)) == given_keys(config) == {*given_keys(config), "optim.weight_decay"}
    assert given_keys(Config()) == frozenset()
    (tmp_path / "all.yaml").write_text(to_yaml(config))
    assert {"encoder.heads", "text.name"} <= given_keys(load_config([tmp_path / "all.yaml"]))


def test_a_model_of_the_hub_that_a_file_names_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    from trace_lit import hub

    config = load_config([], ["text.name=somebody/spy", "tune.model=moment", "tune.backbone=somebody/spy"])
    mark_foreign(config, "theirs.ckpt")
    monkeypatch.setattr(hub.huggingface_hub, "HfApi", lambda: pytest.fail("the hub was asked"))
    monkeypatch.setattr(hub, "_cached", lambda name, patterns: None)
    for name in (config.text.name, config.tune.backbone):
        with pytest.raises(ConfigError, match=r"theirs\.ckpt names the model 'somebody/spy'.*--trust"):
            hub.find_model(name, ["*.safetensors"], tried="", advice="", error=ConfigError)


def test_scripts_of_version_0_1_find_load_config() -> None:
    with pytest.warns(FutureWarning, match=r"trace_lit\.load_config"):
        from trace_lit.config import load_config as former
    assert former is load_config
