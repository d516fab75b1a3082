# Two commands on a fresh machine: `make demo` and `make test`. Everything else is in tools/.
#
#   STACK=openmmlab   the toolboxes as OpenMMLab released them (default: onedl, the maintained fork)
#   PYTHON=python3.12 the Python that the environment is made with (default: python3, or another on PATH)
#   VENV=DIR          where the environment is (default: .venv, on the openmmlab line .venv-openmmlab)

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo real test lint install install-test clean

STACK ?= onedl
REAL ?= 
ifeq ($(STACK),onedl)
VENV ?= .venv
else
VENV ?= .venv-$(STACK)
endif
BIN := $(VENV)/bin
LAUNCHER := $(if $(PYTHON),$(PYTHON),python3)
INSTALL = $(LAUNCHER) tools/install.py --stack $(STACK) --venv "$(VENV)" $(if $(PYTHON),--python $(PYTHON))

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1  /p' Makefile | awk '{printf "  make %-14s", $$2; $$1 = $$2 = ""; print}'
	@echo '  Options: STACK=openmmlab, PYTHON=python3.12, VENV=DIR, for example: STACK=openmmlab make test'

demo: install  ## Install, then run all three steps on drawn X-rays: tables and pictures in work_dirs/demo
	@"$(BIN)/python" tools/reproduce.py --budget tiny --inits scratch muscle --out work_dirs/demo

real:  ## The same on real X-rays: make real REAL=DIR
	@test -n "$(REAL)" || { echo "make real needs the folder of the films: make real REAL=DIR"; exit 1; }
	@$(INSTALL)
	@"$(BIN)/python" tools/reproduce.py --budget small --data "$(REAL)" --inits scratch muscle --out work_dirs/real

test: install-test lint  ## Install, then run the linters, the type checks and the tests
	@OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint: install-test  ## Only the linters and the type checks
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"

install:  ## Install what running needs; does nothing the second time
	@$(INSTALL)

install-test:  ## The same and what testing needs
	@$(INSTALL) --extras test

clean:  ## Remove what builds and checks wrote; environments, wheels and work_dirs stay
	rm -rf build .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name .venv\* -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
