# `make demo` and `make test` set everything up by themselves: Python 3.11 or later and make are enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow kills faults others lint types axe docs stills wheel clean

# Most of what the libraries hold is never imported: Python compiles the rest when it is, and keeps that.
unexport PYTHONDONTWRITEBYTECODE
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: .venv/ready
	$(BIN)/alignrec demo

test: .venv/ready
	$(BIN)/python -m pytest

slow: .venv/ready
	$(BIN)/python -m pytest -m slow

# `slow` in three parts; with `test`, these are all tests: `make --jobs=3 kills others test faults`.
kills: .venv/ready
	$(BIN)/python -m pytest --durations=8 -m slow tests/pipeline/runner/test_kill.py

faults: .venv/ready
	$(BIN)/python -m pytest --durations=8 -m slow tests/pipeline/runner --ignore=tests/pipeline/runner/test_kill.py

others: .venv/ready
	$(BIN)/python -m pytest --durations=8 -m slow --ignore=tests/pipeline/runner

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# A type checker cannot see through an editable install, so it is given a plain one.
types: .venv/ready
	rm -rf build
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target build/typed .
	MYPYPATH=build/typed $(BIN)/mypy -p alignrec

# What axe-core finds in the report; it comes from npm and is no part of this repository.
axe: .venv/ready
	npm install --silent --no-save --prefix .axe axe-core@4.14.1
	$(BIN)/python -m pytest tests/pipeline/report/test_browser_access.py

docs: .venv/ready
	$(BIN)/python -m alignrec.pipeline.config.reference docs/config.md
	$(BIN)/python docs/api.py docs/api.md

stills: demo
	$(BIN)/python docs/stills.py demo

wheel: .venv/ready
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf .venv .axe build dist *.egg-info demo
