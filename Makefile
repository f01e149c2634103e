# What a developer types. Every target sets up `.venv` first if that is needed.
#
#   make demo    200,000 events become counters while a worker is killed; KEEP=1 leaves it running
#   make test    everything that CI checks
#   make chaos   everything broken at random: SEED=7 MINUTES=5 PROTOCOL=classic NODES=1,
#                EACH=1 every fault one by one, REPLAY=chaos/7-classic the same again,
#                SEEDS=31-42 PROTOCOL=turns one run after the other
#   make report  tests/faults/REPORT.md from what those runs left in chaos/, or in RUNS=folder
#   make bench   ours and the peers side by side, over an hour; QUICK=1 takes a minute
#   make check   the quick part of it: lint, format, types, imports, structure
#   make wheel   the package as a file in dist/, to install elsewhere
#   make fmt     put the code into shape
#   make lock    pin the dependencies of pyproject.toml anew

BIN := .venv/bin
SHELL := /bin/sh
.DEFAULT_GOAL := test
.PHONY: setup lock check fmt test demo chaos report bench wheel

setup: .venv/.installed

.venv/.installed: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

.venv/.locked: requirements.lock
	@.ci/make-venv .venv
	@echo "installing the pinned dependencies into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-header --python-version 3.11

lock: setup
	$(COMPILE) --all-extras --group dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra engine --extra trace --constraint requirements.lock \
		--output-file requirements.service.lock pyproject.toml
	$(COMPILE) --group build --constraint requirements.lock --output-file requirements.build.lock
	@for lock in tests/benchmarks/peers/*.lock; do \
		$(COMPILE) --output-file $$lock $${lock%.lock}.py || exit 1; \
	done

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

DIST := dist
wheel: setup
	@$(BIN)/python -m build --wheel --no-isolation --outdir $(DIST) . >/dev/null
	@ls $(DIST)/*.whl

test: check
	$(BIN)/pytest

demo: setup
	@KEEP="$(KEEP)" $(BIN)/python -m services.demo

chaos: setup
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(PROTOCOL),--protocol $(PROTOCOL)) $(if $(NODES),--nodes $(NODES)) \
		$(if $(ONLY),--only "$(ONLY)") $(if $(EACH),--each) $(if $(REPLAY),--replay "$(REPLAY)")

report: setup
	@$(BIN)/python -m tests.faults.report $(or $(RUNS),chaos) --into tests/faults/REPORT.md

bench: setup
	@$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")
