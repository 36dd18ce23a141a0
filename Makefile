# The platform's commands; each sets up what it needs first, on a bare machine too.
.DEFAULT_GOAL := help
.NOTPARALLEL:
RUN := .venv/bin/python
LOCAL := $(RUN) -m deploy.local
WORKERS ?= 2
LONGEST ?= 300  # seconds; a test that hangs fails with its stack instead of holding up all others
SIZE ?= 1
PYTEST_ARGS ?=
ARGS ?=

.PHONY: help .venv run stop status reset test check bench chaos demo screens map docs lock

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 14

.venv:
	@sh deploy/local/bootstrap.sh

run: .venv  ## start the whole platform and watch over it until Ctrl-C (ARGS="--only a,b --processes audit=2")
	@exec $(LOCAL) run $(ARGS)

stop: .venv  ## stop it from another terminal
	@$(LOCAL) stop

status: .venv  ## show what runs
	@$(LOCAL) status

reset: .venv  ## throw all data of the stopped platform away
	@$(LOCAL) reset

test: .venv  ## prove everything on real servers (PYTEST_ARGS="tests/audit -k csv", WORKERS=4)
	@begin=$$(date +%s); \
	if $(RUN) -m pytest -n $(WORKERS) --dist loadfile --timeout $(LONGEST) $(PYTEST_ARGS); \
	then echo "make test: everything passed in $$(( $$(date +%s) - begin )) s"; \
	else status=$$?; echo "make test: FAILED after $$(( $$(date +%s) - begin )) s"; exit $$status; fi

check: .venv  ## style, types, laws, and that the generated documents are up to date
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m mypy --strict
	@$(RUN) -m pytest -q tests/laws
	@$(RUN) docs/generate.py --check

bench: .venv  ## measure, and compare with the targets
	@$(RUN) -m bench $(ARGS)

chaos: .venv  ## kill and cut while people work, and show that nothing is lost (SIZE=0.1: a tenth of it)
	@CHAOS=$(SIZE) $(RUN) -m pytest -m chaos --capture=sys -v $(PYTEST_ARGS)

demo: .venv  ## tell the main story on a running platform
	@$(RUN) -m deploy.local.demo $(ARGS)

screens: .venv  ## photograph every screen of the portal into docs/screens
	@$(RUN) -m tests.portal.screens

map: docs  ## the map of the house in the README
docs: .venv  ## write the generated documents anew
	@$(RUN) docs/generate.py

lock: .venv  ## compile every requirements.txt anew, with hashes
	@$(RUN) deploy/requirements/lock.py
