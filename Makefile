# Each target is one verb; what it does stands in scripts/ or in the tool it names.
.PHONY: serve test check soak browser bench lock clean
PYTHON ?= python3
BIN := .venv/bin

serve: .venv/server          ## start a trial server
	$(BIN)/gatepass serve --dev

test: .venv/test             ## run every test
	scripts/run-tests

check: .venv/test            ## lint, types, layers, architecture
	scripts/run-checks

browser: .venv/test          ## only the pages, in Chromium; leaves screenshots
	$(BIN)/python -m pytest tests/browser

soak: .venv/test             ## the long checks in full
	scripts/run-soak

bench: .venv/test            ## measure; prints a table
	scripts/run-bench

lock:                        ## write the hash-pinned requirements anew
	scripts/lock-requirements

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

.venv/server: requirements/server.txt pyproject.toml
	scripts/make-environment $(PYTHON) server

.venv/test: requirements/server.txt requirements/test.txt requirements/debian.txt pyproject.toml
	scripts/make-environment $(PYTHON) server test
