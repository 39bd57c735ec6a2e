"""MOMENT (Goswami et al., arXiv 2402.03885), by the package momentfm: an encoder pre-trained to fill in hidden patches."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from trace_lit.gaps import interpolated
from trace_lit.rag.forecasters.frozen import FrozenForecaster
from trace_lit.rag.forecasters.loading import (
    check_kind,
    check_weights,
    find_folder,
    import_package,
    load_errors,
    read_description,
)


class Moment(FrozenForecaster):
    """Hidden states of the patches; a prompt is put before them. It was trained to fill in, not to forecast.

    A patch without an observed value is masked. MOMENT can mask whole patches only, so the gaps of others are bridged
    by a straight line. Of long windows it uses the last `seq_len` steps, as many as in its training.
    """

    @classmethod
    def load(cls, name: str) -> Moment:
        package = import_package("momentfm", "momentfm", "moment")
        folder = find_folder(name)
        check_kind(folder, read_description(folder).get("model_name"), ("MOMENT",), "moment")
        with load_errors(folder):
            network = package.MOMENTPipeline.from_pretrained(
                str(folder), local_files_only=True, model_kwargs={"enable_gradient_checkpointing": False}
            )
        stored: set[str] = set()
        for path in folder.glob("*.safetensors"):
            with safe_open(path, "pt") as file:
                stored.update(file.keys())
        # The vocabulary of the T5 that MOMENT is built of is not used.
        check_weights(folder, {key for key in network.state_dict() if "embed_tokens" not in key} - stored)
        return cls(network, network.config.d_model)

    def tokens(self, length: int, prompted: bool = False) -> int:
        network: Any = self.network
        return -(-min(length, network.seq_len) // network.patch_len) + prompted

    def forward(self, values: Tensor, observed: Tensor, prompt: Tensor | None = None) -> Tensor:
        network: Any = self.network
        values, observed = values[:, -network.seq_len :], observed[:, -network.seq_len :]
        used = self.tokens(values.shape[1])
        # Windows lie at the end of the length that the positions were trained with; the steps before are not computed.
        before = network.seq_len - values.shape[1]
        values, observed = F.pad(values, (before, 0)), F.pad(observed, (before, 0))
        known = observed.unflatten(-1, (-1, network.patch_len)).any(-1)  # (n, patches)
        mask = known.repeat_interleave(network.patch_len, -1).float()  # (n, seq_len)
        with torch.no_grad():
            series = network.normalizer(interpolated(values, observed).unsqueeze(1), mask=mask, mode="norm")
            patches = network.patch_embedding(network.tokenizer(series.nan_to_num(0.0)), mask=mask)[:, 0]
            hidden = network.encoder(inputs_embeds=patches[:, -used:], attention_mask=known[:, -used:].long())
        states = hidden.last_hidden_state
        return states if prompt is None else torch.cat([prompt, states], dim=1)
