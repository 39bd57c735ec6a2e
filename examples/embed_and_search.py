# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Embed and search your DataFrame
#
# You have a DataFrame of measurements. This notebook trains a small model on simulated weather, then asks two things of a
# DataFrame of its own: which simulated windows are like it, and which of several sentences describe it.
#
# Open it as a notebook with `jupytext --to notebook embed_and_search.py`, or run it as a program.
# It takes less than a minute.

# %% [markdown]
# ## A corpus and a model
#
# `data build` writes simulated weather with reports. Replace it by [your own data](../docs/data.md). The two calls of
# `fit` pre-train the encoder and align it with the reports.

# %%
import subprocess

import numpy as np
import pandas as pd

import trace_lit

build = ["trace-lit", "data", "build", "--domain", "weather", "--out", "corpora/weather", "instances=240"]
subprocess.run(build, check=True)

SMALL = ["encoder={width: 32, layers: 1, heads: 2}", "data.corpus=corpora/weather", "run.name=example"]
pretrained = trace_lit.fit(*SMALL, "trainer.max_epochs=2")
aligned = trace_lit.fit(*SMALL, "stage=align", f"init_from={pretrained.folder}", "trainer.max_epochs=8")

# %% [markdown]
# ## Load it
#
# A run folder is enough. The corpus is not needed, and nothing is trained.

# %%
model = trace_lit.load(aligned.folder)

# %% [markdown]
# ## Embed a DataFrame
#
# The columns are matched by name, with or without the unit. The index is the time. Channels that the DataFrame does not have
# are missing values, and so is NaN.

# %%
hours = pd.date_range("2024-01-15", periods=72, freq="1h")
rng = np.random.default_rng(0)
frame = pd.DataFrame(
    {
        "temperature [°C]": -6 + rng.normal(0, 0.5, 72),
        "pressure": np.linspace(1018, 996, 72) + rng.normal(0, 0.5, 72),
        "wind speed": np.linspace(3, 14, 72) + rng.normal(0, 0.5, 72),
    },
    index=hours,
)
vectors = model.embed_series(frame)
print("one vector of", vectors.shape[1], "numbers")

# %% [markdown]
# ## Search
#
# By the series, and by a question in words. `to_frame()` makes a table of the hits.

# %%
print(model.search(series=frame, corpus="corpora/weather", top=3).to_frame())

# %%
print(model.search("a storm with falling pressure", corpus="corpora/weather", top=3).to_frame())

# %% [markdown]
# ## Compare sentences with the series
#
# Vectors have unit length, so the inner product is the score. The best sentence comes first.

# %%
sentences = ["The pressure fell and the wind grew strong.", "A hot, calm summer day.", "Steady rain all day."]
scores = pd.Series((model.embed_text(sentences) @ vectors.T)[:, 0], index=sentences)
print(scores.sort_values(ascending=False).round(3))
