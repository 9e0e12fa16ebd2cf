# `make serve` and `make test` do all the set-up there is: .venv, locked dependencies, nothing else.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OLDER_SDKS := 3.14.45 4.1.0rc44
INSTALL := $(PIP) install --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help serve test check format bench faults lock clean

##@ Use

help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve $(if $(findstring postgres,$(ARGS) $(MOORAGE_DATABASE)),.venv/postgres) $(if $(findstring jinja,$(ARGS))$(MOORAGE_JINJA),.venv/jinja) ## Start Moorage on 127.0.0.1:8700 with the sample deployments (ARGS="--port 9000" for options)
	@exec $(BIN)/moorage serve --load examples $(ARGS)

##@ Develop

test: export PYTHONDONTWRITEBYTECODE := # a thousand programs are started: none is to compile the source again
test: .venv/test ## Run the tests (ARGS="-k name" for some)
	$(BIN)/python -m pytest $(ARGS)

check: .venv/test ## Format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/test ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/test ## Measure, and write docs/benchmarks.md (needs nginx and wrk; ARGS="--quick")
	$(BIN)/python -m bench $(ARGS)

faults: .venv/test ## Kill, cut and fill things, and write docs/reliability.md (ARGS="--quick", ARGS="kill-sqlite")
	$(BIN)/python -m faults $(ARGS)

lock: ## Lock the dependencies anew (needs uv)
	uv pip compile pyproject.toml --group build -o requirements/serve.txt $(LOCK)
	uv pip compile pyproject.toml --group build --extra postgres -c requirements/serve.txt -o requirements/postgres.txt $(LOCK)
	uv pip compile pyproject.toml --group build --extra jinja -c requirements/serve.txt -o requirements/jinja.txt $(LOCK)
	uv pip compile pyproject.toml --group build --group test -c requirements/serve.txt -o requirements/test.txt $(LOCK)

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --upgrade

clean: ## Remove what was set up
	rm -rf .venv

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Moorage needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python cannot make a virtual environment: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/serve: .venv/python requirements/serve.txt pyproject.toml
	@echo "Installing what Moorage needs into .venv …" >&2
	@$(INSTALL) -r requirements/serve.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

.venv/postgres: .venv/serve requirements/postgres.txt
	@echo "Installing what PostgreSQL needs into .venv …" >&2
	@$(INSTALL) -r requirements/postgres.txt
	@touch $@

.venv/jinja: .venv/serve requirements/jinja.txt
	@echo "Installing what jinja templates need into .venv …" >&2
	@$(INSTALL) -r requirements/jinja.txt
	@touch $@

.venv/test: .venv/serve requirements/test.txt $(wildcard requirements/sdk-*.txt)
	@echo "Installing what the tests need into .venv …" >&2
	@$(INSTALL) -r requirements/test.txt
	@for sdk in $(OLDER_SDKS); do \
		$(INSTALL) --no-deps --upgrade --target .venv/sdks/$$sdk -r requirements/sdk-$$sdk.txt || exit 1; \
	done
	@touch $@
