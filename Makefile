# Every target makes its own environment in .venv from requirements.lock; nothing else is needed but Python 3.11+ and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLIENTS := sdk2 sdk3 old
EXTRAS := aws demo lightgbm notify onnx postgres sklearn spark stores xgboost

.PHONY: demo test long journeys check clients emulators bench crash fuzz screenshots docs package lock clean

demo: $(STAMP)
	$(BIN)/driftline demo --once

test: $(STAMP)
	$(BIN)/python -m pytest -n auto

# What takes longer: Spark and three nodes in full, kills on PostgreSQL, the demo twice, every document, every seed.
long: $(STAMP)
	$(BIN)/python -m pytest -n auto -m long

# The journeys of every client of AWS; make test walks those of boto3 alone.
journeys: $(STAMP) clients
	DRIFTLINE_JOURNEYS=all $(BIN)/python -m pytest tests/aws/test_journeys.py

# Clients of AWS in environments of their own, that the tests of tests/aws walk with (1 GB): the SageMaker SDK 2 and 3
# with today's awscli and boto3, and those of two years ago.
clients: $(CLIENTS:%=build/clients/%/.installed)

build/clients/%/.installed: tests/aws/clients/%.txt
	$(PYTHON) -m venv build/clients/$*
	build/clients/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Azure's emulator (needs node and npm; 186 MB), with which tests/storage/test_other_clouds.py then also runs.
emulators: build/emulators/node_modules/.bin/azurite-blob

build/emulators/node_modules/.bin/azurite-blob:
	npm install --no-audit --no-fund --prefix build/emulators azurite@3

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Figures against other tools, each in an environment of its own under build/bench (tens of minutes; never in the tests).
bench: $(STAMP)
	$(BIN)/python bench/run.py --json build/bench/result.json
	$(BIN)/python bench/pieces.py
	$(BIN)/python bench/unattended.py
	$(BIN)/python bench/shipping.py
	$(BIN)/python bench/compaction.py
	$(BIN)/python bench/simulate.py
	$(BIN)/python bench/capacity.py

# Kills processes of a running service at random, on each kind of database, then those of three nodes with their database
# and object store, and checks the books (half an hour).
crash: $(STAMP)
	mkdir -p build
	DRIFTLINE_CRASH_KILLS=$${KILLS:-200} DRIFTLINE_CRASH_FIGURES=build $(BIN)/python -m pytest -m "" tests/reliability/test_crash.py \
	  tests/reliability/test_nodes_crash.py

# The tests of tests/fuzz with ever new inputs, many of them.
fuzz: $(STAMP)
	DRIFTLINE_FUZZ=$${EXAMPLES:-2000} $(BIN)/python -m pytest -n auto tests/fuzz

# Every page of the demo and of an empty service in light and dark, wide and narrow, as pictures in build/screenshots.
screenshots: $(STAMP)
	mkdir -p build
	DRIFTLINE_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest tests/browser/test_screenshots.py

# Wheel and source in dist, without a network; then the wheel in a clean environment of the locked base (minutes).
package: $(STAMP)
	rm -rf dist
	$(BIN)/python -m hatchling build --directory dist
	DRIFTLINE_PACKAGE=1 $(BIN)/python -m pytest tests/deploy

# The configuration reference, from the register of variables and the commands; a test fails where it is not current.
docs: $(STAMP)
	$(BIN)/python -m driftline.cli.reference docs/configuration.md

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Rewrites the lock file from pyproject.toml (needs uv). Every extra but TensorFlow, which would be 1 GB.
lock:
	uv pip compile pyproject.toml $(EXTRAS:%=--extra %) --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
