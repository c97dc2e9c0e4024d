# `make repro`: everything from a fresh clone to the report. `make test`: the tests. `make lint`:
# style, types and the rule of the rooms. `make docs`: the documentation as a site in build/site.
# `make compare`: this run against docs/reference.csv. `make experiments`: DVC's, in a short table.
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: repro compare experiments test lint docs schema ui clean

repro: $(VENV)/.installed
	python -m stages.check
	dvc repro
	@echo
	@echo "Results table:  reports/tables/dry.md and reports/tables/wet.md"
	@echo "Report page:    reports/index.html (tables, figures, players)"
	@echo "Models:         models/<system>/ - mix with: $(VENV)/bin/fxnorm mix --help"
	@echo "Runs:           make ui (MLflow)"
	@echo
	@echo "Next: hold this run against the reference, and commit it as the baseline of your experiments:"
	@echo "  make compare"
	@echo "  git add dvc.lock reports/evaluation && git commit -m 'Baseline'"

compare: $(VENV)/.installed
	@python -m stages.compare

experiments: $(VENV)/.installed
	@dvc exp show --no-pager --only-changed --drop 'Created|State|Executor|.*(/|\.yaml|spectral|panning|dynamics)'

test: $(VENV)/.installed
	pytest -n auto --dist loadfile

lint: $(VENV)/.installed
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo --no-cache

docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

schema: $(VENV)/.installed
	python -m stages.schema

ui: $(VENV)/.installed
	python -m stages.ui

clean:
	rm -rf $(VENV) .checkpoints .scratch build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# torch alone first: a plain requirement would be met by a CUDA build of several gigabytes where
# only the CPU is wanted. Set TORCH to another requirement (or an empty one) for a GPU machine.
TORCH ?= torch==2.13.0

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fxnorm needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check $(TORCH)
	pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
