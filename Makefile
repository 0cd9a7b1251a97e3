# One command each; every target sets up what it needs: Zunft for its users, and the tools of tests and lint beside it.
VENV    := .venv
BIN     := $(VENV)/bin
NETWORK := $(or $(ZUNFT_HOME),zunft-network)
PROTOS  := $(sort $(wildcard proto/zunft/v1/*.proto))

# The first Python that passes a check; PYTHON= names the only one to look at.
PYTHONS    := $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
HAS_VENV   := import ensurepip, venv; $(NEW_ENOUGH)
first       = $(shell for name in $(PYTHONS); do "$$name" -c '$(1)' >/dev/null 2>&1 && echo "$$name" && break; done)
WAYS       := Debian or Ubuntu with apt-get install python3-venv, on Fedora with dnf install python3, on macOS with brew install python3

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
FAILED  := { echo "pip has not installed everything: remove the cause above, and type the command again" >&2; exit 1; }

.PHONY: setup environment demo demo-join test lint bench simulate fuzz network-up network-down proto proto-check clean

setup: $(VENV)/ready
	@echo "Zunft is ready in $(VENV). Next: make demo"

# An environment without pip is one whose making was interrupted.
$(VENV)/ready: pyproject.toml constraints.txt
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(MAKE) --no-print-directory environment
	@echo "installing Zunft and its libraries in $(VENV): about a minute"
	@$(INSTALL) . || $(FAILED)
	@touch $@

$(VENV)/ready-for-tests: $(VENV)/ready
	@echo "installing the tools of tests and lint in $(VENV)"
	@$(INSTALL) '.[dev]' || $(FAILED)
	@touch $@

environment:
	@python="$(call first,$(HAS_VENV))"; lacking="$(call first,$(NEW_ENOUGH))"; \
	if [ -n "$$python" ]; then \
		echo "making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV); \
	elif [ -n "$$lacking" ]; then \
		echo "$$lacking lacks venv: install it, on Debian or Ubuntu with apt-get install $${lacking##*/}-venv" >&2; exit 1; \
	else \
		echo "no Python from 3.11 on is on the PATH ($(PYTHONS)): install one, on $(WAYS)" >&2; exit 1; \
	fi

# LEDGER=fabric: on a network of Fabric's own processes instead of the embedded ledger.
demo: $(VENV)/ready
	$(BIN)/zunft demo $(if $(LEDGER),--ledger $(LEDGER))

# A fourth company joins, is charged, and leaves; on the embedded ledger.
demo-join: $(VENV)/ready
	$(BIN)/zunft demo --join

test: $(VENV)/ready-for-tests
	$(BIN)/pytest

lint: $(VENV)/ready-for-tests proto-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# How fast it is: LEDGER=embedded (the default), fabric, or all; AGAINST= another commit compares with it.
bench: $(VENV)/ready-for-tests
	$(BIN)/python -m tests.bench $(if $(LEDGER),--ledger $(LEDGER)) $(if $(AGAINST),--against $(AGAINST))

# One random script against an independent model; SEED= repeats one, STEPS= makes it longer, SCRIPTS= plays so many.
simulate: $(VENV)/ready-for-tests
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) $(if $(SCRIPTS),--scripts $(SCRIPTS)) $(if $(LEDGER),--ledger $(LEDGER))

# So much valid nonsense, read by a node's follower and an audit; SEED= repeats one run.
fuzz: $(VENV)/ready-for-tests
	$(BIN)/python -m tests.fuzz --transactions $(or $(N),100000) $(if $(SEED),--seed $(SEED))

# A Fabric network of three on this machine; ZUNFT_HOME= names its folder, PLAN= another plan to found it by.
network-up: $(VENV)/ready
	@test -e $(NETWORK) || $(BIN)/zunft consortium found $(or $(PLAN),examples/fabric.yaml) --ledger fabric --home $(NETWORK)
	@$(BIN)/zunft network up --home $(NETWORK)

network-down: $(VENV)/ready
	@$(BIN)/zunft network down --home $(NETWORK)

# The generated code is committed, so that users need no compiler.
proto: $(VENV)/ready-for-tests
	find zunft/v1 -name '*_pb2*' -delete
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=. --pyi_out=. --grpc_python_out=. $(PROTOS)
	find zunft/v1 -name '*_pb2_grpc.py' -size -2k -delete

proto-check: $(VENV)/ready-for-tests
	rm -rf build/proto-check && mkdir -p build/proto-check
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=build/proto-check --pyi_out=build/proto-check --grpc_python_out=build/proto-check $(PROTOS)
	find build/proto-check -name '*_pb2_grpc.py' -size -2k -delete
	diff -r -x __pycache__ -x __init__.py build/proto-check/zunft/v1 zunft/v1 || { echo "zunft/v1 is stale: run make proto"; exit 1; }

clean:
	rm -rf $(VENV) build
