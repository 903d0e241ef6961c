# `make demo` and `make test` do all the set-up that they need. VENV= puts the environment elsewhere; one that belongs to
# another clone is left alone unless TAKE=yes says to point it here.
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TAKE ?=
LABEL_STUDIO_ENV ?=
BENCH := bench-results
LOCKS := requirements.lock requirements-test.lock
# Nothing is installed whose digest no lock lists, not even what builds the few packages that come as source.
FROM_LOCKS = $(BIN)/python -m pip install --progress-bar off --require-hashes --no-deps --no-build-isolation
UPGRADE ?=
LANGUAGE_CODE ?=
# Tests run in four processes, as each waits half of its time for services and browsers. A module stays in one, and so
# does all that shares one Label Studio. PARALLEL= runs them in one.
PARALLEL ?= -n 4
PYTEST ?=
# Of what pip says, the files that take long and the step that takes longest, without where they come from.
SIGNS_OF_LIFE = while read -r line; do case "$$line" in \
  *[0-9][0-9].[0-9]" "[MG]B*) echo "  $${line\#\#*/}" ;; \
  "Installing collected"*) echo "  Unpacking all of it: the longest step, some minutes without a word" ;; esac; done
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONUNBUFFERED = 1
ifneq ($(LABEL_STUDIO_ENV),)
export ATTUNE_LABEL_STUDIO_ENV = $(LABEL_STUDIO_ENV)
endif

.PHONY: help install ours label-studio browser demo demo-check test test-quick lint docs translations lock audit sbom bench clean

help:
	@echo "make demo        everything up with the sample catalogue; stays until Ctrl-C"
	@echo "make demo-check  the same without a person; the last line is one JSON object"
	@echo "make test        the whole test suite    make test-quick  without the slow tests"
	@echo "                 make test PYTEST='-k queue -x' adds arguments of pytest"
	@echo "make lint        ruff and mypy           make bench       the small benchmarks, into $(BENCH)/"
	@echo "make docs        docs/reference again, from the code"
	@echo "make translations  the labelling page's words, from the code into each language; LANGUAGE_CODE=fr begins one"
	@echo "make audit       asks whether an installed version has a known weakness"
	@echo "make sbom        a bill of materials: all that is installed, as CycloneDX JSON, into sbom.json"
	@echo "make lock        the locks anew, after a change of pyproject.toml; UPGRADE='NAME ...' or UPGRADE=all raises versions"
	@echo "make install     prepares $(VENV) alone  VENV=FOLDER puts it there, for each of these commands"

install: $(STAMP)

ours:
	@test -n "$(TAKE)" || test ! -x $(BIN)/python || $(BIN)/python tests/project/own_environment.py "$(VENV)" "$(MAKECMDGOALS)"

$(STAMP): pyproject.toml $(LOCKS) $(if $(TAKE),ours) | ours
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "Python 3.11 or 3.12 is needed, $(PYTHON) is another. Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (about 8 GB with torch; some minutes the first time):"
	@rm -f $(VENV)/install.failed
	@sed -nE '/^(setuptools|wheel)==/,/[^\\]$$/p' requirements.lock > $(VENV)/builders.lock
	@{ { $(FROM_LOCKS) -r $(VENV)/builders.lock > $(VENV)/install.out && $(FROM_LOCKS) $(LOCKS:%=-r %) && \
	  $(BIN)/python -m pip install --no-deps --no-build-isolation --editable . >> $(VENV)/install.out; } \
	  2> $(VENV)/install.log || touch $(VENV)/install.failed; } | { $(SIGNS_OF_LIFE); }
	@test ! -e $(VENV)/install.failed || { grep -v '^WARNING: Location' $(VENV)/install.log | tail -n 20; exit 1; }
	@touch $(STAMP)

label-studio: $(STAMP)
	@$(BIN)/python -m attune.labeler.label_studio.install

browser: $(STAMP)
	@sh tests/project/find_chromium.sh $(BIN)/python

demo: $(STAMP) label-studio
	@$(BIN)/attune demo

demo-check: $(STAMP) label-studio
	@$(BIN)/attune demo --check

test: $(STAMP) label-studio browser
	@$(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

test-quick: $(STAMP)
	@$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not services and not browser" $(PYTEST)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy attune

docs: $(STAMP)
	@$(BIN)/python -m tests.project.reference
	@$(BIN)/python -m tests.labeler.cli.bad_inputs

translations: $(STAMP)
	@$(BIN)/python -m tests.project.translations $(LANGUAGE_CODE)

lock: $(STAMP)
	@$(BIN)/python -m tests.project.locks $(if $(UPGRADE),--upgrade $(UPGRADE))

audit: $(STAMP)
	@$(BIN)/python -m tests.project.audit

sbom: $(STAMP)
	@$(BIN)/python -m tests.project.sbom

bench: $(STAMP) label-studio
	@mkdir -p $(BENCH)
	$(BIN)/python -m benchmarks.scale --pool 100000 --repeats 3 --json $(BENCH)/scale.json
	$(BIN)/python -m benchmarks.encode --n 64 --rounds 2 --json $(BENCH)/encode.json
	$(BIN)/python -m benchmarks.round_trip --pool 500 --answers 20 --json $(BENCH)/round_trip.json

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build $(BENCH) *.egg-info
