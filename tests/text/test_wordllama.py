"""The default encoder."""

import subprocess
import sys

import numpy as np
import pytest

from trace_lit.text import TextEncoderError, build_text_encoder
from trace_lit.text import wordllama as module
from trace_lit.text.config import TextConfig
from trace_lit.text.wordllama import WordLlamaEncoder

TEXTS = ["Strong wind from the north.", "Mild.", "The air pressure fell to 1,003 hPa during the night. " * 30]
SCRIPTS = ["तापमान बढ़ा।", "气温下降。", "هل سيهطل المطر؟", "Температура падает.", "🌧️", "\x00", "\u200b", "\ud83d"]


@pytest.fixture(scope="module")
def encoder():
    return WordLlamaEncoder()


def test_vectors_are_those_of_the_package_itself(encoder):
    from wordllama import WordLlama

    folder = module._package_folder()
    reference = WordLlama.load(cache_dir=folder, disable_download=True).embed(TEXTS, norm=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), reference, atol=1e-6)


def test_other_texts_beside_it_do_not_change_a_vector(encoder):
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS), alone, atol=1e-6)


def test_texts_in_any_script_have_vectors_of_their_own(encoder):
    vectors = encoder.encode(SCRIPTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == len(SCRIPTS)


def test_the_end_of_a_very_long_text_counts(encoder):
    long = "wind " * 20_000
    with_end, without = encoder.encode([long + "snow " * 20_000, long])
    assert with_end @ without < 0.99


def test_similar_texts_are_nearer_than_others(encoder):
    cold, freezing, petrol = encoder.encode(["It was cold.", "It was freezing.", "Petrol got dearer."])
    assert cold @ freezing > cold @ petrol


def test_the_fingerprint_tells_prefixes_and_weights(encoder, monkeypatch):
    assert WordLlamaEncoder().fingerprint == encoder.fingerprint
    assert WordLlamaEncoder(query_prefix="query: ").fingerprint != encoder.fingerprint
    monkeypatch.setattr(module, "_digest", lambda path: "changed")
    assert WordLlamaEncoder().fingerprint != encoder.fingerprint


@pytest.mark.parametrize("spec", [None, "elsewhere"])
def test_a_missing_package_and_missing_weights_say_what_to_install(spec, monkeypatch, tmp_path):
    found = None if spec is None else type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: found)
    with pytest.raises(TextEncoderError, match="install"):
        WordLlamaEncoder()


def test_it_works_without_noise_network_and_logging_set_up_even_when_the_process_forks(tmp_path):
    program = f"""
import logging, os, socket
def refuse(*arguments, **options):
    raise AssertionError("network used")
socket.socket.connect = socket.getaddrinfo = refuse
from trace_lit.text.config import TextConfig
from trace_lit.text import build_text_encoder
encoder = build_text_encoder(TextConfig(cache_dir={str(tmp_path)!r}))
assert encoder.encode(["Cold."] * 3 + ["Warm."] * 300).shape == (303, 256)
child = os.fork()
if child == 0:
    encoder.encode(["Windy.", "Calm."])
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert not logging.getLogger().handlers
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_is_what_the_default_configuration_builds(encoder, tmp_path):
    built = build_text_encoder(TextConfig(cache_dir=str(tmp_path)))
    assert (built.dim, built.fingerprint) == (256, encoder.fingerprint)
    np.testing.assert_allclose(built.encode(TEXTS), encoder.encode(TEXTS), atol=1e-6)
