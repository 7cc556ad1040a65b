# Everything runs in .venv, made on first use; PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
# More than there are cores, since much of the tests' time is spent waiting.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 2) * 3 // 2)')
export UV_NO_PROGRESS := 1
export UV_COMPILE_BYTECODE := 1

.PHONY: help demo check test bench-docs release-check samples test-matrix test-distributed lint airflow matrix fuzz bench soak test-ui screenshots docs clean test-outside

help:
	@echo "make demo     run the example DAGs of all vendors through Airflow against the local sandbox"
	@echo "make check    format, lint, types and the tests that need no database of Airflow, in about a minute"
	@echo "make test     format, lint, types and the whole test suite"
	@echo "make test-matrix  the tests on every supported Airflow and Python, and with the lowest versions that are allowed;"
	@echo "              AIRFLOW=3.1 PYTHON_VERSIONS=3.13 narrow it (AIRFLOW=lowest: the lowest versions), THOROUGH=1 adds"
	@echo "              what takes long, QUICK=1 leaves out what another row proves, STRICT=1 makes a missing Python an error"
	@echo "make airflow  Airflow with the sandbox and the three connections, to look at in a browser"
	@echo "make test-outside  a vendor in a distribution of its own, beside the built wheel, through the conformance kit"
	@echo "make matrix   play the deaths of a launch, step by step, and print what came of each"
	@echo "make fuzz     20,000 spoiled answers of the vendors before every method of their clients"
	@echo "make test-distributed  break an Airflow with PostgreSQL, Celery and two of each, and print what came of each launch;"
	@echo "              needs Debian's postgresql and redis-server; ROUNDS=\"killed mapped\" plays the rounds with such names"
	@echo "make bench    measure what docs/benchmarks.md tells (BENCH=walk,waits narrows it); make bench-docs puts the last results"
	@echo "              there; make soak: the endurance runs"
	@echo "make test-ui  the connection forms in a headless browser; make screenshots: their pictures, for docs/images"
	@echo "make release-check  build both distributions, check what a package index will show, and run a job from the wheel"
	@echo "              beside the newest and the oldest Airflow"
	@echo "make docs     build the documentation into site/, warnings being errors; read site/index.html; make samples writes"
	@echo "              the code that pages show into them, from the files that tests run"
	@echo "make clean    remove what the others made"

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; '$(PYTHON)' is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/ready
	@$(BIN)/python demo/run.py

airflow: .venv/ready
	@$(BIN)/python demo/standalone.py

lint: .venv/ready
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

# What is left out starts whole DAGs, an Airflow, or a process for each death.
check: lint
	@$(BIN)/pytest -q --numprocesses $(WORKERS) --dist loadgroup --ignore=tests/integration --ignore=tests/docs/test_samples.py \
		--ignore=tests/test_wheel.py --ignore=tests/launch --ignore=tests/security/test_what_airflow_keeps.py

test: lint
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup

test-matrix: .venv/ready
	@$(BIN)/python tests/airflow_versions.py

matrix: .venv/ready
	@PYTHONPATH=tests/launch $(BIN)/python -m airflow_provider_campaigns.testing.conformance under_test:VENDORS

fuzz: .venv/ready
	@$(BIN)/python tests/fuzzing.py

test-distributed: .venv/ready
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[distributed]'
	@$(BIN)/python tests/distributed/run.py $(ROUNDS)

bench soak: .venv/ready
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python benchmarks/$(if $(filter bench,$@),run,soak).py
	@$(if $(filter soak,$@),$(BIN)/pytest -m soak)

bench-docs: .venv/ready
	@$(BIN)/python benchmarks/run.py --docs

test-outside: .venv/ready
	@rm -rf .outside
	@$(BIN)/uv build --quiet --wheel --out-dir .outside/wheels .
	@$(BIN)/uv build --quiet --wheel --out-dir .outside/wheels tests/outside_vendor
	@$(BIN)/uv venv --quiet --python $(BIN)/python .outside/venv
	@$(BIN)/uv pip install --quiet --python .outside/venv/bin/python --constraint constraints.txt \
		.outside/wheels/airflow_provider_campaigns-*.whl '.outside/wheels/airflow_provider_paloma-1.0.0-py3-none-any.whl[test]'
	@cd tests/outside_vendor && ../../.outside/venv/bin/pytest --numprocesses $(WORKERS)

test-ui screenshots: .venv/ready
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
		{ echo "A browser and its driver are needed. On Debian: apt-get install chromium chromium-driver"; exit 1; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[ui]'
	@$(if $(filter screenshots,$@),SCREENSHOTS=docs/images) $(BIN)/pytest -m ui tests/ui $(if $(filter screenshots,$@),-k picture)

docs: .venv/ready
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[docs]'
	@$(BIN)/zensical build --clean --strict

samples: .venv/ready
	@$(BIN)/python tests/docs/write_samples.py

release-check: .venv/ready
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[release]'
	@rm -rf .release
	@$(BIN)/uv build --quiet --out-dir .release/dist .
	@$(BIN)/twine check --strict .release/dist/*
	@for constraints in constraints.txt tests/constraints/airflow-2.11.txt; do \
		venv=.release/$$(basename $$constraints .txt); \
		$(BIN)/uv venv --quiet --python $(BIN)/python $$venv && \
		$(BIN)/uv pip install --quiet --python $$venv/bin/python --constraint $$constraints \
			"$$(echo .release/dist/*.whl)[sandbox]" && \
		$$venv/bin/python -P tests/release_job.py || exit 1; \
	done

clean:
	rm -rf .venv .outside .release .demo .matrix .bench dist site .cache
