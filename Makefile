# The two commands: `make demo` and `make test`. Needs Python 3.11+ with pip and venv, git, make and Node 20+.
# Paths are relative and quoted, so that the checkout may lie anywhere, below any name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help environment demo test lint types docs bench chaos soak lock clean

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
SOAK_ARGS ?=
CHAOS_ARGS ?=
REPO ?=
python := .venv/bin/python

export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET

# In the plain C locale Python cannot read a path with non-ASCII letters.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

# Without a home folder to write to, every tool keeps its cache in the checkout.
home := $(shell if [ -n "$$HOME" ] && [ -w "$$HOME" ] && { [ ! -e "$$HOME/.cache" ] || [ -w "$$HOME/.cache" ]; }; then echo writable; fi)
ifneq ($(home),writable)
export XDG_CACHE_HOME := $(CURDIR)/.cache
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export npm_config_cache := $(CURDIR)/.cache/npm
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

environment: ## .venv with the pinned packages and Segue itself (the other targets call it)
	@sh tools/environment.sh

demo: environment ## run the example; REPO=path looks at a git repository of yours
	@$(python) examples/repo_health/demo.py $(if $(REPO),--repo "$(REPO)",)

test: lint types ## everything that must hold: lint, types, tests; PYTEST_ARGS="-k name -x" goes to pytest
	@$(python) -m pytest $(PYTEST_ARGS)

lint: environment ## ruff: rules and format
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .

types: environment ## pyright, strict
	@command -v node >/dev/null || { echo "pyright needs Node 20 or newer on the PATH: install nodejs" >&2; exit 1; }
	@$(python) -m pyright

docs: environment ## write the generated files again: public names, API reference
	@$(python) tools/generate_public.py
	@$(python) tools/generate_reference.py

bench: environment ## measure Segue beside Dagster, then its control plane; with BENCH_ARGS, which goes to bench/run.py, the former alone
	@missed=0; $(python) bench/run.py $(BENCH_ARGS) || missed=1; \
		$(if $(BENCH_ARGS),,$(python) bench/control/all.py || missed=1;) exit $$missed

chaos: environment ## kill workers, steps, zygotes and databases while 1,000 runs go on, on each store, and the leader of three control planes 200 times; a database that is away for half a minute; 10,000 backfills of random graphs; CHAOS_ARGS goes to bench/chaos/run.py
	@for store in sqlite postgres; do $(python) bench/chaos/run.py --store $$store $(CHAOS_ARGS) || exit 1; done
	@$(python) bench/chaos/leaders.py
	@$(python) bench/chaos/outages.py
	@SEGUE_RANDOM_GRAPHS=10000 $(python) -m pytest -q --timeout 3600 tests/unit/decide/test_backfills.py -k any_graph

soak: environment ## 64 processes on one home for a minute; SOAK_ARGS goes to bench/soak.py
	@$(python) bench/soak.py $(SOAK_ARGS)

lock: environment ## renew requirements/dev.lock from pyproject.toml
	@$(python) -m uv pip compile --quiet --universal --python-version 3.11 --upgrade --extra dev \
		--custom-compile-command "make lock" --output-file requirements/dev.lock pyproject.toml

clean: ## remove everything that was made here, .venv too
	@rm -rf .venv .cache demo-output dist build .pytest_cache .ruff_cache .hypothesis
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +
