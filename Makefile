# The platform's commands; each sets up what it needs first, on a bare machine too.
.DEFAULT_GOAL := help
PYTHON_RUN := PYTHONPATH=services:shared:. .venv/bin/python

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: .venv
.venv:
	@sh deploy/local/bootstrap.sh
