# Two commands are enough: `make demo` and `make test`. `make help` lists the others.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# So that a DAG or a test can import `include`, and nothing of the caller's Python setup leaks in.
export PYTHONPATH := $(CURDIR)
unexport PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin
# Files of tests at once. Many wait for real jobs and a real Airflow, so two are worth it on any machine.
WORKERS ?= 2
# What installs the lock: quicker than pip, and it checks every hash. From PyPI, like the rest.
UV := uv==0.13.8
# The machine's own certificates, where it has them: a company's proxy signs with its own.
UV_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock"

.PHONY: help
help:  ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

.PHONY: demo
demo: .venv/ready  ## The abalone pipeline, end to end, with real jobs on this machine
	@$(BIN)/python -m scripts.demo

.PHONY: up
up: .venv/ready  ## Airflow's UI on http://localhost:8080 (PORT=...) and the local SageMaker; Ctrl-C ends both
	@$(BIN)/python -m scripts.up --port $(PORT)

.PHONY: local
local: .venv/ready  ## The local SageMaker alone, in the foreground
	@$(BIN)/python -m scripts.local

.PHONY: test
test: .venv/ready .venv-sdk/ready  ## Every test
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: outcomes
outcomes: .venv/ready  ## EXAMPLES=200 random pipelines, each in Airflow and natively: the same must come of it
	@EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest tests/dag/outcomes/test_random.py

.PHONY: day
day: .venv/ready  ## A day in production in a real Airflow, with a backfill of ten dates (make test: of four)
	@DAY_DATES=10 $(BIN)/python -m pytest tests/system/test_a_day.py

.PHONY: chaos
chaos: .venv/ready  ## The whole kill matrix (a quarter of an hour; needs PostgreSQL's server programs); writes build/chaos.md
	@CHAOS=all $(BIN)/python -m pytest tests/chaos

.PHONY: lint
lint: .venv/ready  ## Style (ruff, with Airflow's rules), types (mypy, strict) and the Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@! test -x $(BIN)/hadolint || $(BIN)/hadolint Dockerfile

.PHONY: bench
bench: .venv/ready  ## How fast and how small, side by side; writes build/bench.json
	@$(BIN)/python -m scripts.bench

.PHONY: lock
lock: .venv/ready  ## Make the locks of both environments from requirements*.txt
	@$(COMPILE) requirements-dev.txt -o requirements.lock
	@$(COMPILE) requirements-sdk.txt -o requirements-sdk.lock

.PHONY: shapes
shapes: .venv/ready  ## Make include/nacre/definition/shapes.py from botocore's service model
	@$(BIN)/python -m scripts.make_shapes

.PHONY: clean
clean:  ## Remove what runs left behind (state, caches); keeps the environments
	rm -rf .nacre build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Compiled now, or each job that imports XGBoost would pay three seconds for it: jobs write no
# bytecode, as in SageMaker's images. The stamp is written last: a set-up that was interrupted is done again.
.venv/ready: requirements.lock Makefile
	@$(PYTHON) scripts/check_python.py
	@echo "Setting up .venv (once; 325 MB from the package registry, 1.2 GB on disk, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(UV_CERTS) --compile-bytecode \
		--require-hashes -r requirements.lock
	@touch $@

# The SageMaker SDK cannot live beside Airflow; only tests use it.
.venv-sdk/ready: requirements-sdk.lock | .venv/ready
	@echo "Setting up .venv-sdk (once; 300 MB on disk, about half a minute) ..."
	@$(PYTHON) -m venv .venv-sdk
	@$(BIN)/uv pip install --quiet --python .venv-sdk/bin/python $(UV_CERTS) --compile-bytecode \
		--require-hashes -r requirements-sdk.lock
	@touch $@
