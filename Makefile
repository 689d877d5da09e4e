# Two commands on a fresh machine with Python >= 3.11 and make:
#   make conformance   run every norm's suite against the embedded sandbox (or your product: SUT=file)
#   make test          prove the laboratory itself
# Everything is set up in .venv of this checkout (with uv when it is there, else with venv and pip).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PY     := $(BIN)/python
JOBS   ?= 2
TESTS  ?=
CATALOGUE := norms/locale/en/LC_MESSAGES/poincon

.DEFAULT_GOAL := help
.PHONY: help setup conformance test check bench messages lock wheel clean

help: ## show these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Poinçon demande Python 3.11 ou plus récent / needs Python >= 3.11")'
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --clear --python $(PYTHON) $(VENV) && \
	  uv pip install -q --python $(PY) --require-hashes -r requirements.lock && \
	  uv pip install -q --python $(PY) --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

setup: $(READY) ## prepare .venv

conformance: $(READY) ## run the suites and write bilans and signed certificates (SUT=file for a real product)
	@$(PY) -m poincon conformance $(if $(SUT),--sut $(SUT)) --jobs $(JOBS)

test: $(READY) ## the whole test run, JOBS files at once (TESTS=path to narrow it)
	@$(PY) -m pytest -n $(JOBS) --dist loadfile $(TESTS)

check: $(READY) ## format, lint, types, import contracts, norms
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(PY) -m poincon norms check

bench: $(READY) ## throughput ratios, each against an alternative run beside it
	@$(PY) -m bench

messages: $(READY) ## renew the English catalogue from the code; translate what it leaves empty, then run it again
	@$(BIN)/pybabel -q extract -F babel.cfg --no-default-keywords -k tr -k tr_in:2 -k mark -k _both \
	  --no-location --sort-output -o $(VENV)/poincon.pot norms scenarios sandbox harness reports poincon
	@$(BIN)/pybabel -q update -i $(VENV)/poincon.pot -o $(CATALOGUE).po -l en --no-wrap \
	  --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@$(BIN)/pybabel compile -i $(CATALOGUE).po -o $(CATALOGUE).mo --statistics

lock: ## renew requirements.lock (needs uv)
	uv pip compile -q pyproject.toml --extra dev --universal --generate-hashes --no-header --no-emit-index-url --no-annotate -o requirements.lock

wheel: $(READY) ## build the wheel into dist/
	@$(PY) -m build --wheel --no-isolation -o dist .

clean: ## remove what the commands above made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
