# Every target makes what it needs: a virtual environment in .venv, from the first Python >= 3.11 that is found.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
TESTS ?=
CHAOS ?=

.PHONY: demo test lint bench chaos schemas clean

demo: $(VENV)/.ready
	@$(BIN)/cli-multi-rapid demo

# All tests, then this project's own gates at the strict level. TESTS=... runs some tests, and no gates.
test: lint
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term:skip-covered \
	  --cov-report=json:coverage.json --junitxml=junit.xml $(if $(TESTS),,--cov-fail-under=95) $(TESTS)
	@$(if $(TESTS),true,CMR_TRUST=1 PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cli-multi-rapid validate-compliance --level strict)

lint: $(VENV)/.ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.ready
	@$(BIN)/python -m pip install --quiet --group bench
	@$(BIN)/python -m compileall -q $(VENV)/lib src
	@$(BIN)/python benchmarks/run.py

chaos: $(VENV)/.ready
	@$(BIN)/python tests/chaos/run.py $(CHAOS)

schemas: $(VENV)/.ready
	@$(BIN)/python scripts/generate_schemas.py

clean:
	rm -rf $(VENV) .cmr .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

$(VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or give its name: make PYTHON=..." >&2; exit 3; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@$(BIN)/python -m compileall -q src || true
	@touch $@
