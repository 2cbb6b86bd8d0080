# The front door. `make demo` and `make test` need Python 3.11, 3.12 or 3.13 with its pip, and nothing else.
# Another Python, beside the first: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= $(shell for name in python3 python3.11 python3.13 python3.12; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$name && break; done || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
CODE := embodied sims drivers policies tests examples docs
# Where this is set, every one of the hundreds of processes that the tests start would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check types rules docs bench faults virtual clients fuzz mutate clean

demo: $(VENV)/.base
	$(BIN)/embodied run launch/pick_place.yaml --sim

test: check

check: $(VENV)/.dev
	$(MAKE) --no-print-directory -j2 types rules
	$(BIN)/python -m tests

types: $(VENV)/.dev
	$(BIN)/mypy

# On the other core meanwhile. Collecting the tests compiles them once; each worker would do so otherwise.
rules: $(VENV)/.dev
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python -m tests.house
	$(BIN)/python -m pytest --collect-only -qq > $(VENV)/collected || { cat $(VENV)/collected; exit 1; }

# The documentation site, in site/; a link that leads nowhere fails.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.peers
	$(BIN)/python -m tests.benchmarks

# Every fault as often as the README says; the short version is among the tests.
faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults

# The drivers that meet the hardware, against virtual devices, in real time: one run at a time.
virtual: $(VENV)/.dev
	$(BIN)/embodied test launch/pick_place.yaml --profile virtual --set robot=xarm6 --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/pick_place.yaml --profile virtual --set robot=so101 --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/ev_shuttle.yaml --profile virtual --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/drone_inspect.yaml --profile virtual --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/factory.yaml --profile virtual --seeds 0:5 --jobs 1

# 100 000 inputs of each kind of file and wire: right, or one clear error in bounded time and memory. An hour or two.
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz

# What the examples of vendors' clients do, against virtual devices, in real time.
clients: $(VENV)/.dev
	$(BIN)/python -m tests.drivers.mavlink.clients

# Every line of the guards, changed in turn: their tests must fail. Minutes, and so not among the checks.
mutate: $(VENV)/.dev
	$(BIN)/python -m tests.mutation

# pip of the outer Python installs into the environment, so that a Python without ensurepip will do.
$(BIN)/python:
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable . pip
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[dev]' pip
	touch $@ $(VENV)/.base

$(VENV)/.peers: $(VENV)/.dev
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[dev,peers]' pip
	touch $@

clean:
	rm -rf $(VENV) runs
