"""Encoders in the form of the Hugging Face hub, on a tiny BERT with random weights."""

import logging
import shutil
import socket
import sys
import time
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_hub.errors import RepositoryNotFoundError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from trace_lit.errors import InputError
from trace_lit.text import TextEncoderError, build_text_encoder
from trace_lit.text.config import TextConfig
from trace_lit.text.huggingface import HuggingFaceEncoder

WORDS = "cold warm wind rain query passage : , . it was ##er ##y very".split()  # noqa: SIM905
TEXTS = ["cold", "it was very very cold, wind, rain.", "warmer", "it was windy", "rain " * 20, "warm wind"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model as `save_pretrained` leaves it."""
    path = tmp_path_factory.mktemp("models") / "tiny-bert"
    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def hidden(folder):
    """Last hidden states (L, 16) of one text alone, straight from the model."""
    model = BertModel.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)

    @torch.no_grad()
    def states(text):
        return model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()

    return states


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_mean_pooling_is_the_mean_over_a_texts_own_tokens_whatever_stands_beside_it(folder, hidden):
    expected = unit(np.stack([hidden(text).mean(0) for text in TEXTS]))
    for batch_size in (1, 2, 64):
        vectors = HuggingFaceEncoder(str(folder), batch_size=batch_size, device="cpu").encode(TEXTS)
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_cls_pooling_is_the_first_token(folder, hidden):
    vectors = HuggingFaceEncoder(str(folder), pooling="cls", batch_size=4, device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(np.stack([hidden(text)[0] for text in TEXTS])), atol=1e-5)


def test_texts_of_like_length_go_through_the_model_together(folder):
    encoder = HuggingFaceEncoder(str(folder), batch_size=2, device="cpu")
    lengths = np.array([3, 9, 1, 7, 5])
    batches = [list(lengths[rows]) for rows, _ in encoder.encode_batches(["wind " * length for length in lengths])]
    assert batches == [[9, 7], [5, 3], [1]]


def test_prefixes_stand_before_the_text(folder):
    plain = HuggingFaceEncoder(str(folder), device="cpu")
    asking = HuggingFaceEncoder(str(folder), query_prefix="query: ", document_prefix="passage: ", device="cpu")
    for kind, prefix in (("query", "query: "), ("document", "passage: ")):
        vectors = asking.encode(TEXTS[:3], kind)
        np.testing.assert_allclose(vectors, plain.encode([prefix + text for text in TEXTS[:3]]), atol=1e-5)
        assert np.abs(vectors - plain.encode(TEXTS[:3])).max() > 0.01


@pytest.mark.parametrize("max_length", [8, 512])
def test_a_long_text_is_cut_at_max_length_or_at_what_the_model_takes(folder, max_length):
    encoder = HuggingFaceEncoder(str(folder), max_length=max_length, device="cpu")
    fits = min(max_length, 32) - 2  # beside [CLS] and [SEP]
    cut, full, shorter = encoder.encode(["wind " * 100, "wind " * fits, "wind " * (fits - 1)])
    np.testing.assert_allclose(cut, full, atol=1e-6)
    assert np.abs(cut - shorter).max() > 1e-4


def test_half_precision_gives_nearly_the_same(folder):
    full = HuggingFaceEncoder(str(folder), device="cpu").encode(TEXTS)
    half = HuggingFaceEncoder(str(folder), device="cpu", precision="bf16").encode(TEXTS)
    assert half.dtype == np.float32
    assert ((full * half).sum(1) > 0.995).all()
    assert (full != half).any()


def test_it_gives_the_same_twice_and_takes_any_script(folder):
    encoder = HuggingFaceEncoder(str(folder), device="cpu")
    texts = [*TEXTS, "तापमान", "\ud83d", "\u200b", ""]
    np.testing.assert_array_equal(encoder.encode(texts), encoder.encode(texts))
    assert np.isfinite(encoder.encode(texts)).all()


def test_the_fingerprint_tells_whatever_changes_a_vector(folder, tmp_path):
    def of(path=folder, **changes):
        return HuggingFaceEncoder(str(path), **changes).fingerprint

    changes = [
        {"pooling": "cls"},
        {"max_length": 8},
        {"precision": "bf16"},
        {"query_prefix": "q"},
        {"document_prefix": "q"},
        {"query_prefix": "q", "document_prefix": "q"},
    ]
    prints = [of(), *(of(**change) for change in changes)]
    assert len(set(prints)) == len(prints)
    assert of(batch_size=1) == of(device="cpu") == of()

    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    assert of(copy) == of()
    weights = copy / "model.safetensors"
    content, times = bytearray(weights.read_bytes()), weights.stat()
    content[-1] ^= 1
    weights.write_bytes(content)
    assert weights.stat().st_size == times.st_size
    assert of(copy) != of()


def test_the_configuration_builds_it_and_what_is_cached_needs_no_weights(folder, tmp_path, monkeypatch):
    options = {"pooling": "cls", "query_prefix": "q", "document_prefix": "d", "max_length": 8, "batch_size": 2}
    options |= {"precision": "bf16", "device": "cpu"}
    config = TextConfig(name=str(folder), cache_dir=str(tmp_path), **options)
    first = build_text_encoder(config).encode(TEXTS)
    direct = HuggingFaceEncoder(str(folder), **options)
    np.testing.assert_array_equal(first, direct.encode(TEXTS))
    assert build_text_encoder(config).fingerprint == direct.fingerprint
    monkeypatch.setattr(BertModel, "__init__", None)
    again = build_text_encoder(config)
    np.testing.assert_array_equal(again.encode(TEXTS), first)
    assert (again.dim, again.stats.encoded) == (16, 0)


def test_loading_is_quiet_and_leaves_the_settings_of_transformers_as_they_were(folder, tmp_path, capfd):
    copy = tmp_path / "with-a-head"  # of which transformers reports what is missing and what is not needed
    shutil.copytree(folder, copy)
    weights = load_file(copy / "model.safetensors")
    weights = {name: tensor for name, tensor in weights.items() if "pooler" not in name}
    save_file({**weights, "cls.bias": torch.zeros(3)}, copy / "model.safetensors", metadata={"format": "pt"})
    level, handler = transformers_logging.get_verbosity(), logging.StreamHandler(sys.stderr)
    transformers_logging.set_verbosity(logging.INFO)
    transformers_logging.enable_progress_bar()
    transformers_logging.add_handler(handler)
    try:
        HuggingFaceEncoder(str(copy), device="cpu").encode(["cold"] * 100)
        assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == (
            logging.INFO,
            True,
        )
    finally:
        transformers_logging.remove_handler(handler)
        transformers_logging.set_verbosity(level)
    assert capfd.readouterr() == ("", "")


# What goes wrong


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.parametrize("name", ["someone/some-encoder", "wordlama", "./not-here", "/not/here", "not a name!"])
def test_an_unknown_name_without_network_says_at_once_what_to_do(name, no_network, monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(TextEncoderError) as caught:
        HuggingFaceEncoder(name)
    assert waits == []  # who tries again waits in between
    for words in (repr(name), "folder", "spelled", "text.name=FOLDER", "text.name=wordllama"):
        assert words in str(caught.value)


def test_an_unknown_name_and_a_missing_network_have_errors_of_their_own(monkeypatch, no_network):
    class Answer:
        status_code = 404
        headers: dict = {}  # noqa: RUF012
        request = None

    def missing(self, name, timeout):
        raise RepositoryNotFoundError("404", response=Answer())

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", missing)
    with pytest.raises(TextEncoderError, match="nor a public model on the Hugging Face hub"):
        HuggingFaceEncoder("someone/some-encoder")


def test_a_model_in_the_hub_cache_needs_no_network(folder, no_network, tmp_path):
    repository = tmp_path / "hub" / "models--someone--tiny"
    shutil.copytree(folder, repository / "snapshots" / ("1" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1" * 40)
    encoder = HuggingFaceEncoder("someone/tiny", device="cpu")
    np.testing.assert_array_equal(encoder.encode(TEXTS), HuggingFaceEncoder(str(folder), device="cpu").encode(TEXTS))
    assert encoder.fingerprint.startswith("tiny-")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: (path / "model.safetensors").unlink(), "holds no weights"),
        (lambda path: (path / "config.json").unlink(), "cannot be read as a text encoder"),
        (lambda path: (path / "config.json").write_text("{"), "cannot be read as a text encoder"),
        (lambda path: (path / "model.safetensors").write_bytes(b"short"), "cannot be read as a text encoder"),
        (lambda path: (path / "tokenizer.json").unlink(), "cannot be read as a text encoder"),
    ],
)
def test_a_folder_that_is_not_a_whole_model_says_what_belongs_there(folder, tmp_path, damage, message):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    damage(copy)
    with pytest.raises(TextEncoderError, match=message) as caught:
        HuggingFaceEncoder(str(copy), device="cpu").encode(["cold"])
    assert str(copy) in str(caught.value)
    assert "config.json" in str(caught.value)


def test_weights_of_another_model_are_refused_instead_of_left_random(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    weights = load_file(copy / "model.safetensors")
    renamed = {f"other.{name}" if "layer.1" in name else name: tensor for name, tensor in weights.items()}
    save_file(renamed, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TextEncoderError, match="do not belong to its config"):
        HuggingFaceEncoder(str(copy), device="cpu").encode(["cold"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooling": "max"}, r"text\.pooling is 'max'; it must be one of 'mean', 'cls'"),
        ({"precision": "8"}, r"text\.precision is '8'; it must be one of '32', 'bf16', '16'"),
        ({"max_length": 0}, r"text\.max_length is 0"),
        ({"batch_size": 0}, r"text\.batch_size is 0"),
        ({"device": "gpu"}, r"text\.device is 'gpu'; it must be"),
        ({"device": "cuda:99"}, r"text\.device is 'cuda:99', but \d+ CUDA devices"),
    ],
)
def test_a_parameter_that_is_not_allowed_says_what_is(folder, change, message):
    with pytest.raises(InputError, match=message):
        HuggingFaceEncoder(str(folder), **change)


def test_tokens_are_the_hidden_states_without_special_ones_and_say_where_they_stand(folder, hidden):
    encoder = HuggingFaceEncoder(str(folder), batch_size=2, device="cpu")
    found = encoder.tokens(TEXTS[:4])
    for text, rows, spans in zip(TEXTS, found.rows, found.spans, strict=False):
        np.testing.assert_allclose(found.table[rows], hidden(text)[1:-1], atol=1e-5)
        assert len(spans) == len(rows)
        assert [text[begin:end] for begin, end in spans if text[begin:end] == "wind"] == ["wind"] * text.count("wind")


def test_a_corpus_without_texts_has_no_tokens(folder, tmp_path):
    for encoder in (
        HuggingFaceEncoder(str(folder), device="cpu"),
        build_text_encoder(TextConfig(name=str(folder), cache_dir=str(tmp_path), device="cpu")),
    ):
        assert list(encoder.tokens([]).rows) == []


def test_tokens_of_a_prefix_are_not_given(folder):
    plain = HuggingFaceEncoder(str(folder), device="cpu").tokens(["warm wind"])
    prefixed = HuggingFaceEncoder(str(folder), query_prefix="query : ", device="cpu").tokens(["warm wind"], "query")
    assert [spans.tolist() for spans in prefixed.spans] == [spans.tolist() for spans in plain.spans]
    assert not np.allclose(prefixed.table[prefixed.rows[0]], plain.table[plain.rows[0]])


def test_cached_tokens_are_encoded_once_and_survive_damage(folder, tmp_path, monkeypatch):
    config = TextConfig(name=str(folder), cache_dir=str(tmp_path), device="cpu")
    plain = HuggingFaceEncoder(str(folder), device="cpu").tokens(TEXTS)
    first = build_text_encoder(config).tokens([*TEXTS, TEXTS[0]])
    again = build_text_encoder(config)
    encoded = []
    batches = again.encoder.token_batches
    monkeypatch.setattr(again.encoder, "token_batches", lambda texts: encoded.extend(texts) or batches(texts))
    assert isinstance(again.tokens(TEXTS).table, np.memmap)
    assert encoded == []
    for row in range(len(TEXTS)):
        np.testing.assert_allclose(first.table[first.rows[row]], plain.table[plain.rows[row]], atol=5e-3)
    stored = [np.array(first.table[rows]) for rows in first.rows]
    (path,) = tmp_path.glob("*.tokens")
    damaged = bytearray(path.read_bytes())
    damaged[0] ^= 0xFF  # of the first text that was stored, the longest
    path.write_bytes(damaged)
    mended = again.tokens(TEXTS)
    assert encoded == [max(TEXTS, key=len)]
    for row in range(len(TEXTS)):
        np.testing.assert_array_equal(mended.table[mended.rows[row]], stored[row])
