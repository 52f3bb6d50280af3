# Push Center: everything that one types while working on it. `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
PYTEST_WORKERS ?= 2

# Dozens of the processes that tests start would compile the same files.
unexport PYTHONDONTWRITEBYTECODE

# The checks read the settings as production has them, which needs neither a database nor a data folder.
PRODUCTION := env -u PUSHCENTER_DATA -u DEBUG \
	DATABASE_URL=postgres://pushcenter@db.example.com/pushcenter \
	SECRET_KEY=only-for-the-checks-never-for-a-server-0123456789-abcdefghijkl \
	FIELD_KEYS=b25seS1mb3ItdGhlLWNoZWNrcy1uZXZlci1hLXJlYWw= \
	ALLOWED_HOSTS=push.example.com BASE_URL=https://push.example.com HTTPS=on

.PHONY: help run test judges check bench faults messages lock clean environment environment-dev
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: environment ## Start everything on this machine and send a first notification
	@$(BIN)/python manage.py up

test: environment-dev judges check ## Run the checks and the whole test suite
	@marks=$$(./.ci/marks) && $(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal -m "$$marks"

judges: ## Install what judges the channels and is written for Node
	@./.ci/judges

check: environment-dev ## Lint, types, import rules, migrations, production settings
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(PRODUCTION) $(BIN)/mypy --no-error-summary
	@$(PRODUCTION) $(BIN)/lint-imports --no-logo
	@$(PRODUCTION) $(BIN)/python -W "ignore:Got an error checking:RuntimeWarning" \
		manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: environment-dev ## Measure what this machine accepts and delivers
	@$(BIN)/python -m tests.bench

faults: environment-dev ## Kill everything at random under load for ten minutes, and look for what was lost
	@$(BIN)/python -m tests.faults

messages: environment-dev ## Collect what is marked for translation, and compile the translations
	@$(PRODUCTION) $(BIN)/python -m tests.words

lock: environment-dev ## Pin the newest dependencies that pyproject.toml permits
	@for lock in requirements.lock requirements-dev.lock; do \
		case $$lock in *-dev.lock) extra="--group dev --all-extras --constraint requirements.lock";; *) extra=;; esac; \
		$(BIN)/uv pip compile pyproject.toml $$extra --upgrade --quiet --output-file $$lock \
			--universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" >/dev/null || exit 1; \
	done

clean: ## Remove the virtual environment and the caches; the data in var/ stays
	@rm -rf .venv tests/judges/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment: LOCK := requirements.lock
environment-dev: LOCK := requirements-dev.lock
environment environment-dev:
	@PYTHON="$(PYTHON)" ./.ci/environment $(LOCK)
