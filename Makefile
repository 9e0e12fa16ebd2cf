# `make serve` and `make test` do all the set-up: .venv with locked dependencies, and nothing outside it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OLDER_SDKS := 3.14.45 4.1.0rc44
# More than two processes on two cores: the tests wait for servers and databases nearly half of the time.
JOBS ?= 3
PYTEST := $(BIN)/python -m pytest -n $(JOBS)
INSTALL := $(PIP) install --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help serve test test-system check format bench faults screenshots lock clean

##@ Use

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve $(if $(findstring postgres,$(ARGS) $(MOORAGE_DATABASE)),.venv/postgres) $(if $(findstring jinja,$(ARGS))$(MOORAGE_JINJA),.venv/jinja) $(if $(AWS_REGION)$(AWS_DEFAULT_REGION)$(AWS_BEARER_TOKEN_BEDROCK)$(GOOGLE_CLOUD_PROJECT)$(GOOGLE_APPLICATION_CREDENTIALS),.venv/cloud) ## Start Moorage on 127.0.0.1:8700 with the sample deployments (ARGS="--port 9000" for options)
	@exec $(BIN)/moorage serve --load examples $(ARGS)

##@ Develop

# The tests start hundreds of processes; without the bytecode cache, each would compile the source again.
test test-system: export PYTHONDONTWRITEBYTECODE :=

test: .venv/test .venv/node ## Run the tests of the parts (ARGS="-k name" selects some)
	$(PYTEST) --ignore=tests/system -m "not system" $$(test -d .venv/node/node_modules || echo $(WITHOUT_NODE)) $(ARGS)

test-system: .venv/test ## Run the tests of whole systems: faults, several processes, the guide, HTTP on PostgreSQL
	$(PYTEST) -m system $(ARGS)

check: .venv/test ## Format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/test ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/test ## Measure and write docs/benchmarks.md (needs nginx and wrk; ARGS="--quick", ARGS="--compare DIR", ARGS="--peers")
	$(BIN)/python -m tools.bench $(ARGS)

faults: .venv/test ## Inject faults and update docs/reliability.md (ARGS="--quick", ARGS="kill-sqlite")
	$(BIN)/python -m tools.faults $(ARGS)

screenshots: .venv/test ## Write a picture of each screen of the console into screenshots/ (needs chromium; ARGS="FOLDER")
	$(BIN)/python -m tools.screenshots $(ARGS)

lock: ## Update the locked dependencies (needs uv)
	uv pip compile pyproject.toml --group build --extra server -o requirements/serve.txt $(LOCK)
	uv pip compile pyproject.toml --group build --extra postgres -c requirements/serve.txt -o requirements/postgres.txt $(LOCK)
	uv pip compile pyproject.toml --group build --extra server --extra jinja -c requirements/serve.txt -o requirements/jinja.txt $(LOCK)
	uv pip compile pyproject.toml --group build --group test --extra server -c requirements/serve.txt -o requirements/test.txt $(LOCK)
	uv pip compile pyproject.toml --group build --extra server --extra aws --extra google -c requirements/test.txt -o requirements/cloud.txt $(LOCK)
	uv pip compile --group media-sdks --no-deps -o requirements/sdk-media.txt $(LOCK)

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --upgrade

clean: ## Remove .venv
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

.venv/cloud: .venv/serve requirements/cloud.txt
	@echo "Installing what Amazon Bedrock and Google Vertex AI need into .venv …" >&2
	@$(INSTALL) -r requirements/cloud.txt
	@touch $@

.venv/test: .venv/serve requirements/test.txt $(wildcard requirements/sdk-*.txt)
	@echo "Installing what the tests need into .venv …" >&2
	@$(INSTALL) -r requirements/test.txt
	@for sdk in $(OLDER_SDKS); do \
		$(INSTALL) --no-deps --upgrade --target .venv/sdks/$$sdk -r requirements/sdk-$$sdk.txt || exit 1; \
	done
	@# To compile all modules of these SDKs would take longer than to install them, and the tests import few.
	@$(INSTALL) --no-deps --upgrade --no-compile --target .venv/sdks/media -r requirements/sdk-media.txt
	@touch $@

# Without npm, or without its registry, `make test` leaves the tests of the Node SDK out.
WITHOUT_NODE := --ignore=tests/calls/test_openai_node_sdk.py
.venv/node: .venv/python $(wildcard tests/calls/node/package*.json)
	@rm -rf $@ && mkdir -p $@ && cp tests/calls/node/package*.json $@
	@npm ci --prefix $@ --ignore-scripts --no-audit --no-fund --silent || \
		{ echo "npm cannot install the Node SDK, so its tests are left out" >&2; rm -rf $@/node_modules; }
	@touch $@
