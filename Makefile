# One word per chore. Each target prepares .venv from the hashed lock file, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# Some shells forbid Python to keep what it compiled; then every bot that a test starts is compiled anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help env demo run test cover crash chaos soak bench lint check screenshots lock clean

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Muster needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Preparing $(VENV): about a minute, once"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@touch $@

env: $(STAMP) ## prepare .venv

demo: $(STAMP) ## the whole bot on embedded simulators: no token, no account
	@$(BIN)/python -m bot demo $(ARGS)

run: $(STAMP) ## the bot against the services in .env
	@$(BIN)/python -m bot run

test: $(STAMP) ## the whole suite, offline
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

cover: $(STAMP) ## the whole suite once more, telling which lines and branches it never takes
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(ARGS)

crash: $(STAMP) ## kill the bot at every single point of a job and look what becomes of it (docs/reliability.md)
	$(BIN)/python -m tests.crash $(ARGS)

chaos: $(STAMP) ## random kills and mishaps, then an audit: make chaos ROUNDS=50 SEED=7
	$(BIN)/python -m tests.chaos --rounds $(or $(ROUNDS),50) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: $(STAMP) ## a day of mixed use, and the month after it, in minutes
	$(BIN)/python -m tools.soak $(ARGS)

bench: $(STAMP) ## how quick the bot is and what it costs (docs/performance.md)
	$(BIN)/python -m tools.bench $(ARGS)

lint: $(STAMP) ## ruff, mypy strict, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## what CI runs

screenshots: $(STAMP) ## take the pictures in docs/images anew (wants chromium)
	$(BIN)/python -m tools.screenshots

lock: ## write the lock files anew (needs uv on the PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage*
