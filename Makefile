# Two commands matter: `make demo` and `make test`.  Each does its own set-up.
.DEFAULT_GOAL := help
PYTHON ?= python3
# Where Debian's package of golang.org/x/mod lies.
GO_SOURCES ?= /usr/share/gocode
FUZZ_SECONDS ?= 600
FUZZ_LANES ?= 2
VENV := .venv
BIN := $(VENV)/bin

# Parts with goals; `make bench PART=lag` (event loop under 5 MB answers) and `PART=batch` (10,000 lines) measure without one.
BENCH_PARTS := lookups hanging in_flight pages autofill access audit

PROVE_PARTS := access contract audit autofill storm
PROVE_access = SHUNIU_TEST_RUNS=60 SHUNIU_TEST_STEPS=60 SHUNIU_TEST_RACES=1000 \
	$(BIN)/pytest -q -s tests/access/test_grants_follow_work_orders.py tests/access/test_revocation_race.py
PROVE_contract = SHUNIU_TEST_EXAMPLES=10 $(BIN)/pytest -q tests/api/test_openapi_kept.py
PROVE_audit = $(BIN)/python -m tests.audit.kill_loop --kills 200 --writers 4
PROVE_autofill = $(BIN)/python -m tests.autofill.kill_loop --kills 300
PROVE_storm = SHUNIU_TEST_STORM=2000 $(BIN)/pytest -q tests/resilience/test_cancelled_callers.py tests/resilience/test_proxy_calls.py

help: ## show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runtime ## a clerk gets an answer from three agencies, and the log shows it
	$(BIN)/shuniu demo

serve: $(VENV)/.runtime ## the whole demo court, up until Ctrl-C
	$(BIN)/shuniu serve --demo

test: $(VENV)/.development ## every test, on the PostgreSQL from the wheel
	$(BIN)/pytest -n 2 -q

test-web: $(VENV)/.development ## the pages in a real browser: journeys, keyboard, no JavaScript, accessibility
	command -v chromium >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-noto-cjk; }
	$(BIN)/pytest -m web -n 2 --dist loadfile -q tests/web

screenshots: $(VENV)/.development ## the pictures of docs/, taken from the running demo
	$(BIN)/python -m tests.web.screenshots

lint: $(VENV)/.development ## ruff, mypy and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A part that misses its goal does not keep the others from running.
bench: $(VENV)/.development ## benchmarks against their goals; PART=lookups, hanging, in_flight, pages, autofill, access, audit, lag or batch
	@missed=; for part in $(or $(PART),$(BENCH_PARTS)); do \
		echo "── $$part"; $(BIN)/python -m bench.$$part || missed="$$missed $$part"; \
	done; test -z "$$missed" || { echo "goals missed:$$missed"; exit 1; }

prove: $(VENV)/.development ## invariants over a long run, races and kills; PART=access, contract, audit, autofill or storm
	@failed=; $(foreach part,$(or $(PART),$(PROVE_PARTS)),echo "── $(part)"; \
		{ $(or $(PROVE_$(part)),echo "there is no part $(part); there are: $(PROVE_PARTS)"; false); } || failed="$$failed $(part)";) \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

fuzz: $(VENV)/.fuzzing ## hostile answers to every reader, for FUZZ_SECONDS each (600), FUZZ_LANES at a time (2)
	$(BIN)/python -m fuzz.run_all --seconds $(FUZZ_SECONDS) --lanes $(FUZZ_LANES)

interop: $(VENV)/.development ## exports of real logs checked by code that is not ours (needs Go; PYTHON312= for the second half)
	$(BIN)/python -m tests.audit.interop --gopath $(GO_SOURCES) $(if $(PYTHON312),--python $(PYTHON312))

lock: ## resolve the requirements anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

clean: ## remove the virtual environment and everything that was made
	rm -rf $(VENV) var bench/results*.json

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shuniu needs Python 3.11 or newer; name one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python requirements.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.fuzzing: $(VENV)/.development fuzz/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r fuzz/requirements.txt
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: help demo serve test test-web screenshots lint bench prove fuzz interop lock clean
