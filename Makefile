# Everything a person types. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help demo stop test drills browser foreign fuzz check contracts opa opa-parity policy-mutants bench chaos lock wheelhouse clean install
SHELL := /bin/bash
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= .letopis
WHEELHOUSE ?=
FOLDER ?= wheelhouse
PYTEST_ARGS ?=
# Tests wait more than they compute; the longest ones begin first.
WORKERS ?= --numprocesses 2 --no-loadscope-reorder
EXAMPLES ?= 60
CHANCE ?= $(shell date +%s)
OPA_VERSION := v1.21.3
OPA := .opa/opa
export WHEELHOUSE

help: ## This list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/%/NAME/; s/^([a-zA-Z-]+):.*## /\1|/' \
	  | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo "  Settings: PYTHON=python3.12, WHEELHOUSE=folder (install without an index), DATA=.letopis, PYTEST_ARGS='-k name'"

demo: install ## The whole journey on this machine: real data, real parts, ends with a link (stop with `make stop`)
	@LETOPIS_DATA_DIR=$(DATA) $(BIN)/python -m e2e.journey

stop: ## Stop what `make demo` or `letopis up` started; recorded data stays
	@if [ -x $(BIN)/letopis ]; then $(BIN)/letopis down --data-dir $(DATA); else echo "nothing is installed here"; fi

test: install ## Every test, on real embedded parts; those in a browser are `make browser`
	$(BIN)/python -m pytest $(WORKERS) -m "not browser and not foreign and not fuzz and not opa and not drill" $(PYTEST_ARGS)

drills: install ## What damages or upgrades a stack of its own: restored backups, kept releases, parts away, kill -9
	$(BIN)/python -m pytest -m drill e2e deploy $(PYTEST_ARGS)

browser: install ## The page in a real Chromium (LETOPIS_CHROMIUM, or on PATH): signing, proofs, accessibility
	$(BIN)/python -m pytest -m browser services/console services/audit e2e/test_console.py $(PYTEST_ARGS)

foreign: install ## A consumer in another language, built and run against a stack (needs Go and its modules)
	$(BIN)/python -m pytest -m foreign e2e services/audit $(PYTEST_ARGS)

fuzz: install ## Try to break doors and decoders for long (EXAMPLES=60 requests an operation, CHANCE=seed)
	LETOPIS_FUZZ_EXAMPLES=$(EXAMPLES) LETOPIS_FUZZ_DECODED=5000 LETOPIS_FUZZ_CHANCE=$(CHANCE) LETOPIS_FUZZ_PACKS=5000 \
	  $(BIN)/python -m pytest -m "not browser and not foreign" -o timeout=7200 \
	  e2e/fuzz services/audit/tests/evidence/test_verify_fuzzed.py e2e/test_tried_to_break.py e2e/test_policy_rooms.py e2e/test_contracts.py $(PYTEST_ARGS)
	LETOPIS_FUZZ_CHANCE=$(CHANCE) $(BIN)/python -m pytest -m hypothesis libs services $(PYTEST_ARGS)

check: install ## Formatting, lint, types, import contracts, policies: the same as CI
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m letopis.common.policy check
	$(BIN)/python -m letopis.common.policy test
	$(BIN)/python -m letopis.common.contracts check

contracts: install ## Keep the interface documents as they are now in docs/contracts (BREAKING=1: also what breaks others)
	$(BIN)/python -m letopis.common.contracts write $(if $(BREAKING),--accept-breaking)

opa: $(OPA) ## OPA's own server, built by Go into .opa/ (minutes, once)

$(OPA):
	@command -v go >/dev/null || { echo "Go is needed to build OPA's server; or put \`opa\` $(OPA_VERSION) at $(OPA)"; exit 1; }
	GOBIN=$(CURDIR)/.opa go install github.com/open-policy-agent/opa@$(OPA_VERSION)

opa-parity: install $(OPA) ## Policies on OPA's own server: its formatter and checks, and equal bytes from both engines
	$(OPA) check --strict $$(git ls-files '*.rego')
	@odd=$$($(OPA) fmt --list $$(git ls-files '*.rego')); [ -z "$$odd" ] || { echo "run opa fmt -w on: $$odd"; exit 1; }
	PATH=$(CURDIR)/.opa:$$PATH $(BIN)/python -m pytest -m opa $(PYTEST_ARGS)
	PATH=$(CURDIR)/.opa:$$PATH $(BIN)/python -m pytest libs/common/tests/policy libs/common/tests/http $(PYTEST_ARGS)

policy-mutants: install ## Change every policy one thing at a time: each change must make a test fail (build/policy-mutants.json)
	$(BIN)/python -m letopis.common.policy mutants --report build/policy-mutants.json
	$(BIN)/python -m letopis.common.policy mutants --gate --source libs/common/tests/policy/rooms

bench: install ## First figures: scoring, appending, relaying, rebuilding, start and memory of the stack
	$(BIN)/python -m e2e.bench

bench-%: install ## One of them: bench-core, bench-stack, bench-scoring, bench-audit; figures are kept in build/bench/NAME.json
	$(BIN)/python -m e2e.bench $*

chaos: install ## Faults on real parts: RUNS=20 of each, or of SCENARIO="kill relay"; RESUME=1 goes on; build/chaos.json
	$(BIN)/python -m e2e.chaos --runs $(or $(RUNS),20) $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(RESUME),--resume)

lock: install ## Resolve pyproject.toml into the hash-pinned requirements (UPGRADE=1: newest versions)
	deploy/lock.sh

wheelhouse: install ## Collect all wheels into FOLDER=wheelhouse for a machine without an index
	deploy/wheelhouse.sh $(FOLDER)

clean: stop ## Remove the environment, caches and the demo's data directory
	rm -rf $(VENV) $(DATA) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find libs services deploy e2e -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(STAMP) ## Make the environment (done by the others when needed)

$(STAMP): pyproject.toml deploy/install.sh $(wildcard requirements/*.txt)
	@deploy/install.sh
	@touch $@
