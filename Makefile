# Every target works on a machine that has nothing but Python 3.11 or newer and make.
PYTHON ?= python3
SCALE ?= tiny
SEED ?= 0
ONLY ?=

# The environment is installed once for each state of these two. pip knows --group since
# 25.1, and Python 3.11 brings an older one.
PINS := pyproject.toml requirements.lock
STAMP := .venv/.installed-$(shell cat $(PINS) | cksum | cut -d ' ' -f 1)
RUN := .venv/bin/python -m
export TTS_STORE ?= $(CURDIR)/build/store

.DEFAULT_GOAL := help
.PHONY: help install run chapters test sync audit lab bench model lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv and install the locked versions into it

$(STAMP): $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + \
	  ": name another one, for instance make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet "pip>=25.1"
	$(RUN) pip install --quiet -c requirements.lock -e . --group dev
	$(RUN) pip install --quiet --no-deps --group no-deps
	@rm -f .venv/.installed-*
	@touch $@

run: $(STAMP) ## execute the chapters into build/, build the pages (SCALE SEED ONLY)
	$(RUN) ttslib.tools.run --scale "$(SCALE)" --seed $(SEED) --only "$(ONLY)"

chapters: $(STAMP) ## execute the chapters and store their outputs (ONLY=07: one)
	$(RUN) ttslib.tools.run --store --only "$(ONLY)"

test: $(STAMP) ## lint, unit tests, and every chapter against its stored outputs
	$(RUN) ruff check --quiet .
	$(RUN) ruff format --check --quiet .
	$(RUN) pytest --quiet --nbval-lax --nbval-current-env --nbval-cell-timeout=900 \
	  --nbval-sanitize-with tests/nbval.cfg tests notebooks

sync: $(STAMP) ## rewrite the chapters' tied cells from the library
	$(RUN) ttslib.tools.sync

audit: $(STAMP) ## count each chapter's words, figures, exercises and claims
	$(RUN) ttslib.tools.audit

lab: $(STAMP) ## open the chapters in JupyterLab
	$(RUN) jupyterlab --notebook-dir notebooks

bench: $(STAMP) ## measure speed against transformers
	$(RUN) ttslib.tools.bench

model: $(STAMP) ## train the embedded base policy from scratch (under 45 minutes)
	$(RUN) ttslib.tools.train_tiny

lock: ## write requirements.lock and environment.yml from pyproject.toml
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet "pip>=25.1"
	build/lock/bin/python -m ttslib.tools.lock

clean: ## remove build/ with its store of samples (.venv stays)
	rm -rf build
