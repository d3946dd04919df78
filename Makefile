# Everything a person or a machine does here. `make` alone lists it; nothing need be installed by hand.
.DEFAULT_GOAL := help
.SUFFIXES:

# Every process that starts would compile what it imports: 1.8 s of a processor for a role instead of 0.9.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
ARGS ?=
PY := .venv/bin/python
BROKER := $(PYTHON) -m sandbox.broker
TWO_AT_ONCE := $(MAKE) --no-print-directory -j2
MANIFESTS = $(shell find deploy/kubernetes -name '*.yaml' ! -name kustomization.yaml ! -name broker.yaml)
ON_EVERY_BROKER := tests/publisher tests/journey tests/deploy/test_least_privilege.py tests/examples/test_filtered.py
LOCKED := pyproject.toml locks/build.txt setup/venv.sh

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Real jobs through both stand-in providers; every event as it arrives from RabbitMQ
	@$(TWO_AT_ONCE) .venv/.runtime programs viewers-if-npm
	@exec .venv/bin/reelbus demo $(ARGS)

run: ## The whole service with stand-ins and console, for development, until Ctrl-C
	@$(TWO_AT_ONCE) .venv/.runtime programs viewers-if-npm
	@exec .venv/bin/reelbus dev $(ARGS)

test: ## Every test, against a RabbitMQ of its own (ARGS="-n 2 -k webhook" goes to pytest)
	@$(TWO_AT_ONCE) .venv/.dev programs proxies receiver/viewers/.done .run/asyncapi/.done .run/examples/.done browser
	$(PY) -m pytest -n 4 --dist loadscope --no-loadscope-reorder $(ARGS)

test-brokers: ## The tests of the publisher and whole journeys on RabbitMQ 3.10, 4.0 and 4.3
	@$(TWO_AT_ONCE) .venv/.dev programs .run/examples/.done
	$(PY) -m pytest -n 1 $(ON_EVERY_BROKER) $(ARGS)
	RABBITMQ_RELEASE=4.0 $(PY) -m pytest -n 1 $(ON_EVERY_BROKER) $(ARGS)
	RABBITMQ_RELEASE=4.3 $(PY) -m pytest -n 1 $(ON_EVERY_BROKER) $(ARGS)

lint: .venv/.dev ## Format, style, types, which room may import which, and deploy/
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	.venv/bin/shellcheck .ci/run setup/*.sh setup/*/*.sh deploy/rabbitmq/start.sh deploy/image/remove.sh
	.venv/bin/yamllint --strict deploy
	.venv/bin/hadolint deploy/Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	.venv/bin/kubernetes-validate --strict --quiet --kubernetes-version 1.33.0 $(MANIFESTS)

bench: ## Benchmarks, as ratios to what the machine and other stacks can do
	@$(TWO_AT_ONCE) .venv/.bench programs
	$(PY) -m bench $(ARGS)

chaos: ## Break everything that can break, and check that nothing is lost or doubled
	@$(TWO_AT_ONCE) .venv/.dev programs
	$(PY) -m tests.chaos $(ARGS)

drill: ## Break the running service in seven ways, and time what tells its operators of it
	@$(TWO_AT_ONCE) .venv/.dev programs proxies
	$(PY) -m tests.drill $(ARGS)

fuzz: ## Throw generated input at everything that reads input
	@$(TWO_AT_ONCE) .venv/.dev programs
	$(PY) -m tests.fuzz $(ARGS)

viewers: receiver/viewers/.done ## The viewers of /docs, from their makers' npm packages, by hash

wheel: .venv/.dev receiver/viewers/.done ## A wheel in dist/, for pipx or uv tool install
	@.venv/bin/uv build --quiet --wheel --no-build-isolation --out-dir dist

docs: .venv/.dev ## The documentation as a site, in .run/site
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "docs: .run/site/index.html"

pictures: .venv/.dev ## Take docs/pictures of the console anew, of a service that is started for it
	@$(TWO_AT_ONCE) programs viewers browser
	@$(PY) -m docs.take_pictures

sbom: .venv/.dev ## dist/sbom.cdx.json: what the image holds (CycloneDX)
	@setup/audit.sh sbom

audit: .venv/.dev ## The same, and known advisories; fails, saying so, if no database can be asked
	@setup/audit.sh $(ARGS)

lock: .venv/.dev ## Write locks/ anew from pyproject.toml, with the newest versions it allows
	@setup/lock.sh

clean: ## Remove all that was made here
	@[ ! -e .run/dev.lock ] || flock --nonblock .run/dev.lock true || \
	    { echo "clean: reelbus dev runs here; end it with Ctrl-C first" >&2; exit 1; }
	rm -rf .venv .run build dist receiver/viewers *.egg-info .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is too old: set PYTHON to 3.11+")'

browser:
	@setup/browser.sh > /dev/null

programs: python
	@$(BROKER) fetch

.PHONY: postgres
postgres: python
	@$(PYTHON) -m setup.postgres

proxies: python postgres
	@$(PYTHON) -m setup.proxies
	@$(PYTHON) -m setup.pooler
	@$(PYTHON) -m setup.tools

# Each environment holds the one before it.
.venv/.runtime: locks/runtime.txt $(LOCKED) | python
	@setup/venv.sh runtime

.venv/.dev: locks/dev.txt $(LOCKED) | python
	@setup/venv.sh dev

.venv/.bench: locks/bench.txt $(LOCKED) | python
	@setup/venv.sh bench

receiver/viewers/.done: setup/viewers/packages.txt setup/viewers/install.sh
	@setup/viewers/install.sh

viewers-if-npm:
	@[ receiver/viewers/.done -nt setup/viewers/packages.txt ] || setup/viewers/install.sh --if-npm || \
	    echo "viewers: they could not be fetched, so /docs shows plain documents" >&2

.run/asyncapi/.done: setup/asyncapi/package-lock.json setup/asyncapi/install.sh setup/asyncapi/validate.mjs
	@setup/asyncapi/install.sh
	@touch $@

.run/examples/.done: examples/node/package-lock.json examples/java/Subscriber.java setup/examples/install.sh
	@setup/examples/install.sh
	@touch $@

.PHONY: help demo run test test-brokers lint bench chaos drill fuzz viewers viewers-if-npm wheel docs pictures sbom audit lock clean browser python programs proxies
