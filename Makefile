# Two commands on a bare Debian machine (as root, or with sudo): `make run` and `make test`. `make help` lists the rest.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The pip that is on the machine installs into the environment (--python: pip 22.3), for setting up another one there takes seconds.
PIP     = $(shell [ -e $(BIN)/pip ] && echo $(BIN)/python -m pip || echo $(PYTHON) -m pip --python $(BIN)/python) --disable-pip-version-check --quiet
SONG   ?= demo/kimseye.ogg
RUN_ARGS ?=
# Tests side by side: who is done takes over half of what is left. More than two would ask JACK for more servers than it has room for.
PARALLEL ?= -n 2 --dist worksteal
# Compiled modules are kept, also where the shell says otherwise: without them pytest rewrites the assertions of all tests anew in each of
# its processes, and each of the hundreds of programs that the tests start compiles what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run gui screenshots test pytest types coverage lint bench bench-readme soak rehearsal fuzz slow gpu-pack translations package docs clean system-run system-gui system-test

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 16

run: system-run $(VENV)/.runtime ## separate the demo song as you listen: sound card, else JACK, else a file
	@mkdir -p recordings
	@$(BIN)/python -m rtaudio live --input $(SONG) --fallback recordings/demo.wav $(RUN_ARGS)

gui: system-gui $(VENV)/.gui ## open the window
	@$(BIN)/python -m gui

screenshots: system-gui $(VENV)/.gui ## pictures of every page of the window, into build/screenshots
	@$(BIN)/python -m gui.screenshots

setup: system-test $(VENV)/.dev ## everything for work on the code, into .venv

test: setup ## style, types, import rules and all tests that take seconds
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory --jobs=2 types pytest

pytest: $(VENV)/.dev
	$(BIN)/python -m pytest $(PARALLEL)

# Beside the tests, which often wait.
types: $(VENV)/.dev
	$(BIN)/mypy

coverage: setup ## which lines the tests run (child processes are not seen); a report in build/coverage
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term --cov-report=html:build/coverage

lint: types ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

slow: setup ## the tests that take minutes
	$(BIN)/python -m pytest -m slow --timeout 1800

bench: $(VENV)/.runtime ## what each shipped model costs on this machine
	$(BIN)/python -m rtaudio bench

bench-readme: $(VENV)/.dev ## measure all that README.md shows, keep it in docs/bench.json and write the tables (a quarter of an hour, idle machine)
	$(BIN)/python -m rtaudio bench --full --save docs/bench.json --into README.md

HOURS ?= 1
soak: system-test setup ## an evening with faults on a private JACK server (HOURS=8): dead servers, engines and windows, full disks, ...
	$(BIN)/python -m tests.soak --hours $(HOURS)

MINUTES ?= 15
rehearsal: setup ## what a band does in eight hours, in a quarter of one (MINUTES=15): memory, threads and open files must not grow
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.soak.rehearsal --hours 8 --minutes $(MINUTES)

RUNS ?= 10000
fuzz: setup ## RUNS=10000 damaged inputs for everything that comes from outside; follows coverage on Linux
	-@[ "$$(uname)" != Linux ] || $(PIP) install "atheris>=3.0"
	$(BIN)/python -m tests.fuzz --runs $(RUNS)

gpu-pack: $(VENV)/.dev ## data, wheels and scripts for training on a rented GPU, into build/gpu-pack (training/README.md)
	$(BIN)/python -m training pack

translations: $(VENV)/.dev ## collect the window's texts into gui/translations/stemplay.ts, for Qt Linguist
	$(BIN)/python -m gui.translations.collect

package: system-gui $(VENV)/.gui ## a Debian package of window and command line, into build/
	@$(BIN)/python -c "import pip" 2>/dev/null || $(BIN)/python -m ensurepip --default-pip >/dev/null
	@$(BIN)/python tools/deb.py -o build

docs: $(VENV)/.dev ## the documentation as a website, into build/site; what warns is an error
	@$(BIN)/python tools/website.py

clean: ## remove what was built (not the recordings)
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ---------------------------------------------------------------- virtual environment; the stamps make repeats quick
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stemplay needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@if $(PYTHON) -c 'import pip, sys; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))' 2>/dev/null; \
	then $(PYTHON) -m venv --without-pip $(VENV); else $(PYTHON) -m venv $(VENV); fi

# --no-compile: Python compiles what it uses when it is first used, which takes a third of a second; all of it takes three.
$(VENV)/.runtime: requirements/runtime.lock | $(BIN)/python
	@echo "Installing what the engine needs into $(VENV) (no torch) ..."
	$(PIP) install --no-compile -r requirements/runtime.lock
	@touch $@

$(VENV)/.gui: requirements/gui.lock $(VENV)/.runtime
	@echo "Installing the window's toolkit into $(VENV) ..."
	$(PIP) install --no-compile -r requirements/gui.lock
	@touch $@

$(VENV)/.dev: requirements/runtime.lock requirements/dev.lock requirements/nodeps.lock | $(BIN)/python
	@echo "Installing what tests and training need into $(VENV); torch is large ..."
	@[ -e $(BIN)/pip ] || $(BIN)/python -m ensurepip --default-pip >/dev/null
	$(PIP) install "$$(grep '^torch==' requirements/dev.lock)"
	$(PIP) install -r requirements/dev.lock
	$(PIP) install --no-deps -r requirements/nodeps.lock
	@touch $@ $(VENV)/.runtime $(VENV)/.gui

# ---------------------------------------------------------------- system packages (Debian and its kin); elsewhere a sentence
# $(1) the packages; installs as root or with sudo, else says the command. Never fails: `doctor` and the tests name what is missing.
define install
	@if [ -n "$(strip $(1))" ]; then \
	  if ! command -v apt-get >/dev/null; then echo "Please install with your package manager (Debian's names): $(1)"; \
	  else \
	    if [ "$$(id -u)" = 0 ]; then sudo=; \
	    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo=sudo; \
	    else sudo=none; fi; \
	    if [ "$$sudo" = none ]; then echo "Missing: $(1). As root: apt-get install $(1)"; \
	    else echo "Installing $(1) ..."; \
	      { $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; } \
	      || echo "That failed. As root: apt-get install $(1)"; fi; fi; fi
endef

# $(call unless,TEST,PACKAGE): the package's name when the shell test fails, on Linux only.
unless = $(shell [ "$$(uname)" != Linux ] || { $(1); } >/dev/null 2>&1 || echo $(2))
NEED_RUN  = $(call unless,PATH=$$PATH:/sbin:/usr/sbin ldconfig -p | grep -q libportaudio[.]so,libportaudio2) \
            $(call unless,[ -x $(BIN)/python ] || $(PYTHON) -c 'import ensurepip',python3 python3-venv)
# What Qt's platform plugin loads beside the wheel's own libraries, and a font to draw text with.
NEED_GUI  = $(NEED_RUN) $(foreach lib,libegl1:libEGL.so libgl1:libGL.so libdbus-1-3:libdbus-1.so libxkbcommon-x11-0:libxkbcommon-x11.so \
              libxcb-cursor0:libxcb-cursor.so libxcb-icccm4:libxcb-icccm.so libxcb-keysyms1:libxcb-keysyms.so,\
              $(call unless,PATH=$$PATH:/sbin:/usr/sbin ldconfig -p | grep -q $(lastword $(subst :, ,$(lib))),$(firstword $(subst :, ,$(lib))))) \
            $(call unless,[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ],fonts-dejavu-core)
# jackd is the sound card of the tests, Xvfb and xdotool their screen and mouse, import (imagemagick) their camera; museval and musdb
# ask for ffmpeg, backing tracks are played by mma. A VST3 is built from dpf-source, its window on Xlib and managed by openbox; mda-lv2
# and lv2-examples have LV2 plugins.
NEED_TEST = $(NEED_GUI) $(call unless,command -v jackd,jackd2) $(call unless,command -v Xvfb,xvfb) \
            $(call unless,command -v xdotool,xdotool) $(call unless,command -v import,imagemagick) \
            $(call unless,command -v ffmpeg,ffmpeg) $(call unless,command -v mma,mma) \
            $(call unless,command -v g++,g++) $(call unless,[ -d /usr/share/dpf ],dpf-source) \
            $(call unless,[ -e /usr/include/X11/Xlib.h ],libx11-dev) $(call unless,command -v openbox,openbox) \
            $(call unless,[ -d /usr/lib/lv2/mda.lv2 ],mda-lv2) $(call unless,[ -d /usr/lib/lv2/eg-sampler.lv2 ],lv2-examples) \
            $(call unless,PATH=$$PATH:/sbin:/usr/sbin ldconfig -p | grep -q liblilv,liblilv-0-0)

system-run:
	$(call install,$(NEED_RUN))

system-gui:
	$(call install,$(NEED_GUI))

system-test:
	$(call install,$(NEED_TEST))
