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
RESUME ?=
ARGS ?=

PYTHON ?= python3
BIN := .venv/bin
CLI := $(BIN)/trace-lit
TRAINER := trainer.devices=$(DEVICES) trainer.nodes=$(NODES) trainer.accelerator=$(ACCELERATOR) trainer.precision=$(PRECISION)
DATA := data.domain=$(DOMAIN) data.source=$(SOURCE) $(if $(ROOT),data.root=$(ROOT)) $(if $(CORPUS),data.corpus=$(CORPUS))
FIT := $(TRAINER) $(DATA) run.name=$(RUN) $(if $(RESUME),--resume $(RESUME))

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint data pretrain align evaluate search tensorboard bench ablation results clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */|/' | awk -F'|' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

setup: .venv/.installed  ## make .venv with the pinned packages

demo: setup  ## build the generated corpora, train one encoder on them, search it and draw the answers
	$(BIN)/python experiments/demo.py

test: setup  ## run all tests
	$(BIN)/python -m pytest -q

lint: setup  ## ruff check, ruff format --check, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

data: setup  ## build a corpus: DOMAIN, SOURCE, ROOT, CORPUS (the folder to write), ARGS (the source's options)
	$(CLI) data build --domain $(DOMAIN) --source $(SOURCE) $(if $(ROOT),--root $(ROOT)) --out $(or $(CORPUS),corpora/$(DOMAIN)-$(SOURCE)) $(ARGS)

pretrain: setup  ## stage 1: DOMAIN, SOURCE or CORPUS, RUN, DEVICES, NODES, ACCELERATOR, PRECISION, RESUME, ARGS
	$(CLI) fit $(wildcard experiments/$(DOMAIN)/pretrain.yaml) stage=pretrain $(FIT) $(ARGS)

align: setup  ## stage 2, from the pre-trained run of the same name where there is one
	$(CLI) fit $(wildcard experiments/$(DOMAIN)/align.yaml) stage=align $(FIT) \
		$(if $(wildcard runs/$(DOMAIN)/pretrain/$(RUN)),init_from=runs/$(DOMAIN)/pretrain/$(RUN)) $(ARGS)

evaluate: setup  ## retrieval metrics of an aligned run on its test split: DOMAIN, RUN, CORPUS, ARGS (--split, --json)
	$(CLI) evaluate runs/$(DOMAIN)/align/$(RUN) $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)

search: setup  ## ask an aligned run: DOMAIN, RUN, CORPUS, ARGS='--text "..." --plot answer.png'
	$(CLI) search runs/$(DOMAIN)/align/$(RUN) $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)

tensorboard: setup  ## look at the runs
	$(BIN)/tensorboard --logdir runs

bench: setup  ## speed of the encoder, forward and training, as a share of what a large matrix product reaches
	$(BIN)/python experiments/bench.py $(ARGS)

ablation: setup  ## what each piece brings, on real weather: ROOT (the folder with timecap and timemmd), three seeds
	$(BIN)/python experiments/ablation.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

results: setup  ## the measured domains and the joint run: ROOT (the folder with timecap and timemmd), three seeds
	$(BIN)/python experiments/results.py $(if $(ROOT),--root $(ROOT)) $(ARGS)

clean:  ## remove runs, built corpora and caches; .venv stays
	rm -rf runs corpora demo .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
