# Each target builds what it needs. Needs Python 3.11 or later, make and pip; no PostgreSQL, no compiler.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
N ?= 5000000
JOBS ?= 2

.PHONY: demo test lab bench check soak clean

$(VENV)/.run: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.run pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.run        ## the sample incident from backup to report, into build/demo
	$(BIN)/python -m forensics demo --out build/demo

lab: $(VENV)/.run         ## JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

test: $(VENV)/.dev        ## every test, on a real PostgreSQL; JOBS=2 files at a time
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

soak: $(VENV)/.dev        ## the long runs that `test` leaves out
	$(BIN)/python -m pytest -m soak

check: $(VENV)/.dev       ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev       ## N=5000000 rows: the kit beside its alternatives, as ratios
	$(BIN)/python -m bench.compare --rows $(N)

clean:
	rm -rf build $(VENV)
