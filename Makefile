# The words of this project. `make` alone lists them.

BIN := .venv/bin
PYTEST := $(BIN)/pytest
WORKERS ?= 2
# What a major version, default settings or a pooler could break.
POSTGRES_TESTS := $(addprefix tests/adapters/postgres/test_,admission.py event_store.py group_commit.py \
	leadership.py migrations.py projector.py rebuild.py requirements.py roles.py sessions.py stream.py)
ON_POSTGRES := $(PYTEST) -n $(WORKERS) --dist loadfile $(POSTGRES_TESTS)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run check test test-full test-postgres soak bench lock clean assets runtime testbed-%

help: ## List the words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what developing needs, from the locks
	@infra/setup/python.sh development
	@$(BIN)/python infra/setup/assets.py

run: runtime ## Start Quarterdeck on this machine; ARGS="…" are handed on
	@$(BIN)/python infra/setup/assets.py
	@exec $(BIN)/quarterdeck up $(ARGS)

check: setup ## Format, lint, types, import contracts and the tests that need no server: within a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST) -q -n $(WORKERS) tests/domain tests/application tests/architecture

test: setup ## Every test with PostgreSQL, Kafka, sshd and Chromium, short forms
	@$(BIN)/python -m tests.support.servers.install sshd chromium kafka
	@$(PYTEST) -n $(WORKERS) --dist loadfile -m "not full and not soak"

test-full: setup ## What make test leaves out: what is built from source (needs Go), every PostgreSQL, PgBouncer
	@$(BIN)/python -m tests.support.servers.install loki templates debian-postgresql pgbouncer
	@$(PYTEST) -m "full and not soak"
	@$(MAKE) --no-print-directory test-postgres

test-postgres: setup ## The log, projections and roles on PostgreSQL 15 to 18 as installed, and through PgBouncer
	@$(BIN)/python -m tests.support.servers.install debian-postgresql postgresql pgbouncer
	@QUARTERDECK_TEST_POSTGRES=15 $(ON_POSTGRES) -m "not full and not soak"
	@QUARTERDECK_TEST_POSTGRES=16 $(ON_POSTGRES) -m "not full and not soak"
	@QUARTERDECK_TEST_POSTGRES=17 $(ON_POSTGRES) -m "not full and not soak"
	@QUARTERDECK_TEST_POSTGRES=18 $(ON_POSTGRES) -m "not full and not soak"
	@QUARTERDECK_TEST_POSTGRES=pgbouncer $(ON_POSTGRES) -m "not full and not soak and not direct"

soak: setup ## The long form of the fault tests, with their counts (tests/soak/counts.py)
	@$(BIN)/python -m tests.support.servers.install sshd kafka loki
	@$(PYTEST) tests/soak -m soak -s --timeout 0
	@SOAK_HOSTILE_INPUT=whole $(PYTEST) tests/adapters/http/web/test_hostile_input.py --timeout 0

bench: setup ## The figures; BENCH_JSON=file writes them as {name: number}
	@$(BIN)/python -m tests.support.servers.install sshd chromium kafka debian-postgresql
	@$(BIN)/python -m tests.benchmarks

lock: setup ## Pin the newest versions that pyproject.toml and package.json allow
	@infra/setup/lock.sh
	@$(BIN)/python infra/setup/assets.py --lock

clean: ## Remove what was made from the sources; the data folder stays
	@rm -rf .venv node_modules adapters/http/web/static/vendor .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis dist build test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@infra/setup/python.sh runtime

testbed-%: setup
	@$(BIN)/python -m tests.support.servers.install $*
