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
# # Change one thing and compare
#
# Two runs that differ in one key, with the same seed and data, and a table of both. Here the key is `encoder.scale_tokens`:
# whether level and spread of a channel are part of its token. Any key will do; `trace-lit keys` lists them.
#
# Open it as a notebook with `jupytext --to notebook change_one_thing.py`, or run it as a program.
# It takes less than a minute.

# %%
import subprocess

import trace_lit

build = ["trace-lit", "data", "build", "--domain", "weather", "--out", "corpora/weather", "instances=240"]
subprocess.run(build, check=True)

# %% [markdown]
# ## What both runs share
#
# Words are `key=value`, as on the command line. A YAML file can stand among them.

# %%
SHARED = [
    "stage=align",
    "data.corpus=corpora/weather",
    "encoder={width: 32, layers: 1, heads: 2}",
    "trainer.max_epochs=6",
    "seed=0",
]

# %% [markdown]
# ## Two runs

# %%
full = trace_lit.fit(*SHARED, "run.name=full")
without = trace_lit.fit(*SHARED, "run.name=without-scale", "encoder.scale_tokens=false")

# %% [markdown]
# ## Evaluate and compare
#
# `evaluate` returns the metrics on the test split, and keeps them in each run's `metrics.json`. The main one is the mean
# reciprocal rank of a report's own window. The second number is half the width of its 95 % interval.

# %%
for run in (full, without):
    metrics = trace_lit.evaluate(run)
    low, high = metrics["test/text_to_series/pair/MRR/ci95"]
    print(f"{run.folder}: MRR {metrics['test/text_to_series/pair/MRR']:.3f} ± {(high - low) / 2:.3f}")

# %% [markdown]
# `compare` puts the metrics side by side, with the settings that differ. One seed says little: give several (`seed=0,1,2`
# on the command line) before you believe a difference.

# %%
comparison = trace_lit.compare([full, without])
print(comparison)
