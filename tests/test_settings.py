from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trace_lit.config import ConfigError
from trace_lit.settings import Config, from_dict, load_config, split_words, to_dict, to_yaml

EXPERIMENTS = sorted((Path(__file__).parents[1] / "experiments").rglob("*.yaml"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "a.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_later_layers_win(write) -> None:
    first = write("optim: {learning_rate: 0.1, weight_decay: 0.2}\nseed: 1")
    second = write("optim: {learning_rate: 0.3}", "b.yaml")
    config = load_config([first, second], ["seed=5", "data.options.cities=[ny]", "seed=6"])
    assert (config.optim.learning_rate, config.optim.weight_decay, config.seed) == (0.3, 0.2, 6)
    assert config.data.options == {"cities": ["ny"]}
    assert config.optim.betas == Config().optim.betas


def test_an_empty_file_changes_nothing(write) -> None:
    assert load_config([write("")]) == Config()


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("optim.lr", "optim.learning_rate"),
        ("optim.learning_rte", "optim.learning_rate"),
        ("learning_rate", "optim.learning_rate"),
        ("data.max_epochs", "trainer.max_epochs"),
        ("epochs", "trainer.max_epochs"),
        ("encoder.layer", "encoder.layers"),
        ("encoders.width", "encoder.width"),
        ("init", "init_from"),
        ("optim.learning_rate.x", "optim.learning_rate"),
        ("data.corpus.x", "data.corpus"),
    ],
)
def test_an_unknown_key_names_file_and_nearest_leaf(write, key: str, nearest: str) -> None:
    text = "1"
    for part in reversed(key.split(".")):
        text = f"{{{part}: {text}}}"
    path = write(text)
    for arguments, origin in ((([path], []), str(path)), (([], [f"{key}=1"]), f"'{key}=1' on the command line")):
        with pytest.raises(ConfigError) as caught:
            load_config(*arguments)
        assert str(caught.value) == f"{origin}: no key {key!r}; the nearest is {nearest!r}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optim.learning_rate", "fast"),
        ("optim.betas", "[0.9, 0.98, 0.99]"),
        ("seed", "1.5"),
        ("seed", "null"),
        ("trainer.compile", "maybe"),
        ("data.options", "3"),
        ("optim", "3"),
    ],
)
def test_a_wrong_type_names_key_and_origin(write, key: str, value: str) -> None:
    text = value
    for part in reversed(key.split(".")):
        text = f"{{{part}: {text}}}"
    path = write(text)
    for arguments, origin in ((([path], []), str(path)), (([], [f"{key}={value}"]), "on the command line")):
        with pytest.raises(ConfigError) as caught:
            load_config(*arguments)
        assert f"{origin}: {key}: " in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_refused_value_is_named(write) -> None:
    with pytest.raises(ConfigError, match="learning_rate: Value 'fast'"):
        load_config([write("optim: {learning_rate: fast}")])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("seed: 1\n  x: [", "is not YAML: mapping values are not allowed in this context (line 2)"),
        ("seed: 1\nseed: 2", "is not YAML: found duplicate key seed (line 2)"),
        ("- 1\n- 2", "must hold a mapping of keys"),
        ("3", "cannot be read as YAML"),
        (b"\xff\xfe\x00", "is not YAML: it is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_configuration(write, content: str | bytes, expected: str) -> None:
    path = write(content)
    with pytest.raises(ConfigError) as caught:
        load_config([path])
    assert str(caught.value).startswith(str(path))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file .*nowhere\.yaml"):
        load_config([tmp_path / "nowhere.yaml"])
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config([tmp_path])


@pytest.mark.parametrize("word", ["seed", "seed=[1", "seed=${nowhere}", "seed=${oc.env:NO_SUCH_VARIABLE}", "=3"])
def test_a_word_that_says_nothing(word: str) -> None:
    with pytest.raises(ConfigError):
        load_config([], [word])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("stage=train", "stage is 'train'; it must be one of 'pretrain', 'align', 'tune'"),
        ("text.unit=word", "text.unit is 'word'; it must be one of 'sentence', 'token', 'document'"),
        ("encoder.channel_attention=none", "it must be one of 'biased', 'full'"),
        ("encoder.width=20", "the width must be a multiple of twice the heads"),
        ("encoder.heads=0", "encoder.heads is 0; it must be at least 1"),
        ("data.batch_size=0", "data.batch_size is 0; it must be at least 1"),
        ("alignment.negatives=0", "alignment.negatives is 0; it must be at least 1"),
        ("pretrain.mask_ratio=1", "pretrain.mask_ratio is 1.0; it must lie between 0 and 1, both excluded"),
        ("encoder.dropout=1.5", "encoder.dropout is 1.5; it must lie between 0 and 1"),
        ("optim.learning_rate=nan", "optim.learning_rate is nan; it must be positive and finite"),
        ("optim.weight_decay=-1", "optim.weight_decay is -1.0; it must be 0 or positive"),
        ("optim.ema_decay=1", "optim.ema_decay is 1.0"),
        ("seed=-1", "seed is -1; it must be at least 0"),
        ("alignment.loss=triplet", "it must be one of 'info_nce', or 'package.module:Class'"),
        ("tune.model=arima", "or 'package.module:Class'"),
        ("logger=tensorbord", "logger has 'tensorbord'; each of it must be 'tensorboard', 'csv', 'wandb', 'mlflow'"),
        ("callbacks=[{every: 2}]", "callbacks has {'every': 2}"),
        ("trainer.extra.max_epochs=3", "in its place there is trainer.max_epochs"),
        ("trainer.extra.gradient_clip_val=3", "in its place there is optim.gradient_clip"),
        ("trainer.extra.accumulate_grad_batches=0", "it must be a whole number of at least 1"),
        ("trainer.early_stopping.monitor=train/loss", "but no mode"),
        ("tune.options.width=3", "they are for a class of your own"),
    ],
)
def test_values_that_cannot_work(word: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config([], [word])
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["head.quantiles=[0.1,0.9]"], "it must hold 0.5, too: the median is the point forecast"),
        (["head.quantiles=[0.1,0.9]", "tune.model=retrieved_mean"], "it must hold 0.5, too"),
        (["head.quantiles=[0.4,0.6]", "tune.model=chronos_bolt", "head.solver=none"], "it must hold 0.5, too"),
        (["head.refit=true", "head.solver=ridge+sgd"], "choose their best epoch on the validation windows"),
        (["head.refit=true", "head.solver=sgd"], "head.refit to false"),
        (
            ["tune.model=naive", "tune.task=classify"],
            "of tune.task=classify it must be one of 'trace', 'retrieved_mean'",
        ),
    ],
)
def test_tuning_that_would_mislead_is_refused(words: list[str], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config([], ["stage=tune", *words])
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("word", "others", "back"),
    [
        ("tune.loss=mae", [], "tune.loss=mse"),
        ("tune.loss=mae", ["head.quantiles=[0.1,0.5,0.9]", "head.solver=sgd"], "tune.loss=mse"),
        ("tune.loss=huber", ["tune.model=naive"], "tune.loss=mse"),
        ("tune.loss=huber", ["tune.model=moment"], "tune.loss=mse"),
        ("data.jitter=1", [], "data.jitter=0"),
        ("data.random_offset=true", ["tune.model=nlinear"], "data.random_offset=false"),
        *(
            (word, ["tune.task=classify"], back)
            for word, back in (
                ("window.split=steps", "window.split=rows"),
                ("head.calendar=2", "head.calendar=0"),
                ("head.penalise=changes", "head.penalise=outputs"),
                ("window.augmentation_scales=[2]", "window.augmentation_scales=[]"),
                ("window.targets=[wind]", "window.targets=null"),
                ("head.quantiles=[0.1,0.5,0.9]", "head.quantiles=[]"),
            )
        ),
        ("window.augmentation_scales=[2]", ["tune.model=dlinear"], "window.augmentation_scales=[]"),
        (
            "window.augmentation_scales=[2]",
            ["tune.model=chronos2", "head.solver=none"],
            "window.augmentation_scales=[]",
        ),
        ("head.refit=true", ["tune.model=logistic_regression", "tune.task=classify"], "head.refit=false"),
    ],
)
def test_what_would_be_ignored_in_tuning_is_refused_and_the_error_says_what_to_set(
    word: str, others: list[str], back: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config([], ["stage=tune", word, *others])
    assert str(caught.value).startswith(f"{word.partition('=')[0]} is ")
    assert str(caught.value).endswith(f"; set {back}")
    load_config([], ["stage=tune", word, *others, back])
    load_config([], ["stage=align", "data.jitter=1"])


@pytest.mark.parametrize(
    "words", [["head.solver=sgd"], ["head.solver=ridge+sgd", "tune.scope=full"], ["tune.model=nlinear"]]
)
def test_gradient_steps_take_any_loss(words: list[str]) -> None:
    load_config([], ["stage=tune", "tune.loss=mae", *words])


@pytest.fixture
def changed() -> Config:
    return load_config(
        [],
        [
            "data.corpus=[a,b]",
            "data.options={cities: [ny], length: 24}",
            "alignment.negatives=null",
            "trainer.devices=[0,1]",
            "optim={learning_rate: 3e-4, betas: [0.8, 0.9]}",
            "run.name=größer",
            "callbacks=[{class: my:Callback, every: 2}]",
            "logger=[tensorboard, {class: wandb, project: x}]",
            "trainer={extra: {accumulate_grad_batches: 2}, early_stopping: {patience: 3}}",
            "alignment={loss: my:Loss, loss_options: {bias: 1}}",
            "init_from=x",
        ],
    )


def test_yaml_round_trip(changed: Config, write) -> None:
    assert load_config([write(to_yaml(changed))]) == changed
    assert to_yaml(changed) != to_yaml(Config())


def test_dict_round_trip(changed: Config) -> None:
    plain = to_dict(changed)
    assert from_dict(plain) == changed

    def types(value: object) -> set[type]:
        if isinstance(value, dict):
            return {dict}.union(*map(types, value.values()))
        return {list}.union(*map(types, value)) if isinstance(value, (list, tuple)) else {type(value)}

    assert types(plain) <= {dict, list, str, int, float, bool, type(None)}  # a checkpoint loads with weights_only


def test_there_are_experiments() -> None:
    assert EXPERIMENTS


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: str(path.relative_to(path.parents[1])))
def test_every_experiment_loads(path: Path) -> None:
    load_config([path])


@pytest.mark.parametrize(
    "text", ["query: ", "[x", "null", "", "007", "1e3", "on", "a #b", "~", "{a: b", "- a", "'x'", "!!int 3"]
)
def test_a_text_key_takes_what_was_typed(text: str) -> None:
    assert load_config([], [f"text.query_prefix={text}"]).text.query_prefix == text


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("[heat, draught]", ["heat", "draught"]),
        ("[heat [K], draught [m/s]]", ["heat [K]", "draught [m/s]"]),
        ("['heat [K]', \"a, b\"]", ["heat [K]", "a, b"]),
        ("[007, 1e3, on]", ["007", "1e3", "on"]),
        ("[heat [K]]", ["heat [K]"]),
    ],
)
def test_names_in_a_list_are_texts_as_well(word: str, names: list[str]) -> None:
    assert load_config([], [f"window.targets={word}"]).window.targets == names


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("window.targets=heat", r"like \[heat, draught\]"),
        ("head.quantiles=0.1", r"a list is needed, written like \[a, b\]"),
        ("optim.betas=0.9,0.98", r"a list is needed, written like \[a, b\]"),
        ("data.options=" + "[" * 100_000, "nested deeper than 50 levels"),
        ("data.options={a: &a [x, x], b: &b [*a, *a], c: [*b, *c]}", "not YAML"),
        ("trainer.precision=bf16-true", "weights stay in float32 here.*bf16-mixed"),
        ("trainer.precision=64-true", "weights stay in float32 here"),
        ("run.name=../up", "the plain name of a folder"),
        ("run.name=", "the plain name of a folder"),
        ("data.options=[]", "data.options"),
    ],
)
def test_a_word_that_cannot_be_used_says_what_can(word: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        load_config([], [word])
    assert len(str(refused.value)) < 1000


def test_a_word_longer_than_any_file_name_is_no_file() -> None:
    word = f"data.corpus=[{','.join(f'corpora/{number}' for number in range(1000))}]"
    assert split_words(["a.yaml", word]) == (["a.yaml"], [word])


@pytest.mark.parametrize(
    "words",
    [
        "head.quantiles=[[]]",
        "head.quantiles=[0.1,[0.5],0.9]",
        "head.quantiles=[{a: 1}]",
        "head.penalties=[[]]",
        "window.augmentation_scales=[[]]",
        "rag.splits=[[train]]",
    ],
)
def test_a_list_within_a_list_is_refused(words: str) -> None:
    with pytest.raises(ConfigError, match=r"no list or mapping in it|must be one of"):
        load_config([], ["stage=tune", words])
