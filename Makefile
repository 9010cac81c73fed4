# demo and test start from nothing but python3 (3.11-3.13) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# A name is needed for the journal; a demo does not ask for one.
DEMO   := $(BIN)/tamis demo

.PHONY: demo test lint pictures bench gpu-check torture clean

$(STAMP): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "tamis needs Python 3.11, 3.12 or 3.13, this is %d.%d: make PYTHON=python3.12 ..." % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[train,dev]'
	touch $(STAMP)

demo: $(STAMP)
	@$(DEMO) $(if $(filter 1,$(HEADLESS)),--headless)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m 'not slow' -n 2 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The pictures of docs/guide.md; `make pictures ALL=build/pictures` takes every screen in three sizes and two themes.
pictures: $(STAMP)
	$(BIN)/python -m tests.pictures $(if $(ALL),--all $(ALL))

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[train,dev,bench]'
	$(BIN)/python -m tests.benchmarks

# What only a GPU can show, in at most eight minutes: build/gpu-check.json. Without a GPU a rehearsal on the CPU.
gpu-check: $(STAMP)
	$(BIN)/python -m tests.benchmarks.gpu_check

torture: $(STAMP)
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV) build dist
