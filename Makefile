# The front door. `make demo` and `make test` need Python 3.11 and its pip, and nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test check bench faults virtual mutate clean

demo: .venv/.base
	$(BIN)/embodied run launch/pick_place.yaml --sim

test: check

check: .venv/.dev
	$(BIN)/ruff format --check embodied sims drivers policies tests
	$(BIN)/ruff check embodied sims drivers policies tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2

bench: .venv/.peers
	$(BIN)/python -m tests.benchmarks

# Every fault as often as the README says; the short version is among the tests.
faults: .venv/.dev
	$(BIN)/python -m tests.faults

# The drivers that meet the hardware, against virtual devices, in real time: one run at a time.
virtual: .venv/.dev
	$(BIN)/embodied test launch/pick_place.yaml --profile virtual --set robot=xarm6 --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/pick_place.yaml --profile virtual --set robot=so101 --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/ev_shuttle.yaml --profile virtual --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/drone_inspect.yaml --profile virtual --seeds 0:20 --jobs 1
	$(BIN)/embodied test launch/factory.yaml --profile virtual --seeds 0:5 --jobs 1

# Every line of the guards, changed in turn: their tests must fail. Minutes, and so not among the checks.
mutate: .venv/.dev
	$(BIN)/python -m tests.mutation

# pip of the outer Python installs into the environment, so that a Python without ensurepip will do.
.venv/bin/python:
	$(PYTHON) -m venv --without-pip .venv

.venv/.base: pyproject.toml constraints.txt | .venv/bin/python
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable . pip
	touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[dev]' pip
	touch $@ .venv/.base

.venv/.peers: .venv/.dev
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --constraint constraints.txt --editable '.[dev,peers]' pip
	touch $@

clean:
	rm -rf .venv runs
