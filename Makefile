# Everything runs in a virtual environment of its own, .venv; nothing else on the machine is touched.
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
WORKERS := 2
EXTRAS := test
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test test-minimum check format bench bench-full golden dist requirements workflows clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.gonogo  ## Make .venv and install gonogo into it

demo: $(VENV)/.gonogo  ## Build the site of the sample logs into site/ and print the verdict
	@$(PY) -m gonogo build sample_logs -c sample_project/readiness.toml -o site --state .gonogo/demo; status=$$?; \
	case $$status in \
	0|1|3) echo; echo "What is planted: sample_logs/README.md and sample_project/README.md" ;; \
	*) exit $$status ;; \
	esac

test: $(VENV)/.test  ## Install what tests need and run them
	@$(PY) -m pytest -n $(WORKERS)

test-minimum: $(VENV)/.python  ## Run the tests with the oldest dependencies that are allowed
	@test -d .venv-minimum || $(PYTHON) -m venv .venv-minimum
	@.venv-minimum/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint requirements/minimum.txt -e '.[test]'
	@.venv-minimum/bin/python -m pytest -n $(WORKERS)

check: $(VENV)/.dev  ## Lint, format, types and the import contract
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev  ## Format the code and sort its imports
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV)/.test  ## Race DuckDB on a million calls, and one format with the other; some minutes
	@$(PY) bench/run.py --small
	@$(PY) bench/formats.py
	@$(PY) bench/formats.py --mb 500 --only otlp litellm

bench-full: $(VENV)/.test  ## Race DuckDB on twenty million calls; writes bench/RESULTS.md
	@$(PY) bench/run.py --full --write

golden: $(VENV)/.test  ## Write the generated reference and the golden files of the tests anew
	@$(PY) docs/generate.py
	@UPDATE_GOLDEN=1 $(PY) -m pytest -k golden; status=$$?; test $$status -eq 0 -o $$status -eq 5

# Two builds of a commit have the same bytes: their time is that of the commit.
dist: $(VENV)/.dev  ## Build the wheel and the sdist into dist/
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(PY) -m build --outdir dist .

requirements: $(VENV)/.test  ## Write the versions of requirements/ anew, from .venv and pyproject.toml
	@$(PY) tools/requirements.py

workflows: $(VENV)/.gonogo  ## Write home and release, as pyproject.toml names them, into docs/ci
	@$(PY) tools/workflows.py

clean:  ## Remove what make made; the state in .gonogo/ stays
	rm -rf $(VENV) .venv-minimum site dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp says what is installed already; a change of pyproject.toml installs again.

$(VENV)/.gonogo: pyproject.toml | $(VENV)/.python
	@echo "installing gonogo into $(VENV) (once; some 150 MB are fetched)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.gonogo
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.dev: $(VENV)/.gonogo
	@echo "installing the linters into $(VENV)"
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { \
	echo "$(PYTHON) is not installed. On Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "gonogo needs Python 3.11 or newer, and $(PYTHON) is older: $$($(PYTHON) --version)." \
	"If there is a newer one, name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "$(PYTHON) cannot make virtual environments: a package is missing." \
	"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
