# Two commands matter: `make demo` and `make test`.  Each does its own set-up.
.DEFAULT_GOAL := help
PYTHON ?= python3
# Where Debian's package of golang.org/x/mod lies.
GO_SOURCES ?= /usr/share/gocode
FUZZ_SECONDS ?= 600
FUZZ_LANES ?= 2
VENV := .venv
BIN := $(VENV)/bin

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

# Each part says for itself whether its goals were met; one that misses does not keep the others from running.
bench: $(VENV)/.development ## every benchmark against its goals: lookups, an agency that hangs, 2,000 in flight, pages, forms, access, log
	@missed=; for part in lookups hanging in_flight pages autofill access audit; do \
		echo "── $$part"; $(BIN)/python -m bench.$$part || missed="$$missed $$part"; \
	done; test -z "$$missed" || { echo "goals missed:$$missed"; exit 1; }

bench-autofill: $(VENV)/.development ## forms filled per second, and the queue with 1,000 and with 100,000 waiting
	$(BIN)/python -m bench.autofill

bench-access: $(VENV)/.development ## what the decision adds to a lookup, with 1,000 and with 1,000,000 open grants
	$(BIN)/python -m bench.access

bench-audit: $(VENV)/.development ## the audit log alone: durable appends, verification, size, search
	$(BIN)/python -m bench.audit

bench-pages: $(VENV)/.development ## the clerk's page: its first card after the fastest agency, and its weight
	$(BIN)/python -m bench.pages

prove-audit: $(VENV)/.development ## 200 kills under the load of four hubs: nothing lost, no gap, one root
	$(BIN)/python -m tests.audit.kill_loop --kills 200 --writers 4

interop: $(VENV)/.development ## exports of real logs checked by code that is not ours (needs Go; PYTHON312= for the second half)
	$(BIN)/python -m tests.audit.interop --gopath $(GO_SOURCES) $(if $(PYTHON312),--python $(PYTHON312))

prove-autofill: $(VENV)/.development ## 300 kills of hub, worker and database under load: every form ends exactly once
	$(BIN)/python -m tests.autofill.kill_loop --kills 300

prove-contract: $(VENV)/.development ## 10 made-up calls of every operation by each of four callers, beside the cases that its schema names
	SHUNIU_TEST_EXAMPLES=10 $(BIN)/pytest -q tests/api/test_openapi_kept.py

prove-access: $(VENV)/.development ## the right follows the task: a long stateful run and 1,000 races of close against lookup
	SHUNIU_TEST_RUNS=60 SHUNIU_TEST_STEPS=60 SHUNIU_TEST_RACES=1000 \
	$(BIN)/pytest -q -s tests/access/test_the_right_follows_the_task.py tests/access/test_revocation_race.py

fuzz: $(VENV)/.fuzzing ## hostile answers to every reader, for FUZZ_SECONDS each (600), FUZZ_LANES at a time (2)
	$(BIN)/python -m fuzz.run_all --seconds $(FUZZ_SECONDS) --lanes $(FUZZ_LANES)

prove-storm: $(VENV)/.development ## 2,000 callers who hang up: afterwards every pool serves and every question has its end on record
	SHUNIU_TEST_STORM=2000 $(BIN)/pytest -q tests/resilience/test_storm.py tests/resilience/test_proxy_calls.py

bench-in-flight: $(VENV)/.development ## 2,000 lookups in flight against agencies that take a second: all answered, and in how much memory
	$(BIN)/python -m bench.in_flight

bench-hanging: $(VENV)/.development ## what one hanging agency costs the lookups that do not need it
	$(BIN)/python -m bench.hanging

bench-lag: $(VENV)/.development ## how long the event loop waits while 5 MB of each family are read
	$(BIN)/python -m fuzz.lag

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

.PHONY: help demo serve test test-web screenshots lint bench bench-audit bench-autofill bench-access prove-audit prove-access prove-contract prove-autofill prove-storm bench-in-flight bench-hanging interop fuzz bench-lag lock clean
