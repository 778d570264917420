# `make run` and `make test` set up everything they need; Python 3.11 and make are enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Files of tests that run at once. Most of them wait for a browser, a camera or a time-out.
TESTS_AT_ONCE ?= 4
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Settings reach us as typed: `make` would read the $ of a password as a variable, and run $(shell ...).
$(foreach name,$(filter CAMERAS MASKWATCH_%,$(.VARIABLES)),$(eval export override $(name) := $$(value $(name))))
# Exactly what a lock names, checked by its hashes. Where uv cannot, pip may: it reads pip.conf.
LOCKED := --quiet --require-hashes --no-build-isolation --requirement
INSTALL = $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode $(LOCKED) $(1) || \
	{ echo "uv could not install $(1); pip tries ..."; $(BIN)/python -m pip install $(LOCKED) $(1); }

.PHONY: run test check docs audit lock upgrade unit system-packages containers e2e bench bench-full soak clean help

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

run: $(RUN_STAMP) ## Run everything here: make run CAMERAS="gate=rtsp://... hall=0"
	@exec $(BIN)/maskwatch run

test: $(DEV_STAMP) system-packages check ## Check and test everything
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

check: $(DEV_STAMP) docs ## Lint, types, import rules, dead links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(DEV_STAMP) ## Build the documentation into site/; a dead link or anchor fails
	$(BIN)/zensical build --strict --clean

audit: $(DEV_STAMP) ## Known vulnerabilities of what is locked; a bill of materials in out/
	@$(BIN)/python deploy/audit.py out/sbom.cdx.json

lock: $(RUN_STAMP) ## Write the locks anew after a change of requirements*.txt; versions stay where they can
	@UV=$(BIN)/uv deploy/lock.sh

upgrade: $(RUN_STAMP) ## Write the locks with the newest versions that fit
	@UV=$(BIN)/uv deploy/lock.sh --upgrade

unit: $(DEV_STAMP) ## The fast tests alone
	$(BIN)/python -m pytest tests/unit

e2e: $(DEV_STAMP) system-packages ## The whole system in a browser, who comes in where, generated requests, broken uploads, secrets
	$(BIN)/python -m pytest tests/e2e
	$(BIN)/python -m benchmarks.access_matrix
	$(BIN)/python -m benchmarks.api_fuzz
	$(BIN)/python -m benchmarks.malformed_uploads
	$(BIN)/python -m benchmarks.leak_scan

containers: $(DEV_STAMP) ## Build all images, and do with the Compose file what an operator does, on an engine of its own
	MASKWATCH_CONTAINERS=1 $(BIN)/python -m pytest tests/containers -v --durations=0

bench: $(DEV_STAMP) ## Measure speed, the short form: within five minutes
	@$(BIN)/python -m benchmarks.suite

bench-full: $(DEV_STAMP) ## Measure speed, all of it: about half an hour
	@$(BIN)/python -m benchmarks.suite --full

MINUTES ?= 60
soak: $(DEV_STAMP) system-packages ## Five cameras for an hour with faults at random: make soak MINUTES=480
	@$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

system-packages: ## Install what tests need from the system, where that is allowed
	@tests/install-system-packages.sh

$(RUN_STAMP): requirements-build.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Maskwatch needs Python 3.11, 3.12 or 3.13: make run PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what Maskwatch runs on (once) ..."
	@$(BIN)/python -m pip install $(LOCKED) requirements-build.lock
	@$(call INSTALL,requirements.lock)
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements-dev.lock
	@echo "installing what the tests need (once) ..."
	@$(call INSTALL,requirements-dev.lock)
	@touch $@

clean: ## Remove the virtual environment and caches; keeps state/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info build site .cache
