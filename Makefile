# One command each; every target sets up what it needs.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
NETWORK := $(or $(ZUNFT_HOME),zunft-network)
PROTOS := $(sort $(wildcard proto/zunft/v1/*.proto))

.PHONY: setup demo demo-join test lint bench simulate fuzz network-up network-down proto proto-check clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks venv. On Debian: apt-get install python3.11-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# LEDGER=fabric: on a network of Fabric's own processes instead of the embedded ledger.
demo: setup
	$(BIN)/zunft demo $(if $(LEDGER),--ledger $(LEDGER))

# A fourth company joins, is charged, and leaves; on the embedded ledger.
demo-join: setup
	$(BIN)/zunft demo --join

test: setup
	$(BIN)/pytest

lint: setup proto-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# How fast it is: LEDGER=embedded (the default), fabric, or all; AGAINST= another commit compares with it.
bench: setup
	$(BIN)/python -m tests.bench $(if $(LEDGER),--ledger $(LEDGER)) $(if $(AGAINST),--against $(AGAINST))

# One random script against an independent model; SEED= repeats one, STEPS= makes it longer, SCRIPTS= plays so many.
simulate: setup
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) $(if $(SCRIPTS),--scripts $(SCRIPTS)) $(if $(LEDGER),--ledger $(LEDGER))

# So much valid nonsense, read by a node's follower and an audit; SEED= repeats one run.
fuzz: setup
	$(BIN)/python -m tests.fuzz --transactions $(or $(N),100000) $(if $(SEED),--seed $(SEED))

# A Fabric network of three on this machine; ZUNFT_HOME= names its folder, PLAN= another plan to found it by.
network-up: setup
	@test -e $(NETWORK) || $(BIN)/zunft consortium found $(or $(PLAN),examples/fabric.yaml) --ledger fabric --home $(NETWORK)
	@$(BIN)/zunft network up --home $(NETWORK)

network-down: setup
	@$(BIN)/zunft network down --home $(NETWORK)

# The generated code is committed, so that users need no compiler.
proto: setup
	find zunft/v1 -name '*_pb2*' -delete
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=. --pyi_out=. --grpc_python_out=. $(PROTOS)
	find zunft/v1 -name '*_pb2_grpc.py' -size -2k -delete

proto-check: setup
	rm -rf build/proto-check && mkdir -p build/proto-check
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=build/proto-check --pyi_out=build/proto-check --grpc_python_out=build/proto-check $(PROTOS)
	find build/proto-check -name '*_pb2_grpc.py' -size -2k -delete
	diff -r -x __pycache__ -x __init__.py build/proto-check/zunft/v1 zunft/v1 || { echo "zunft/v1 is stale: run make proto"; exit 1; }

clean:
	rm -rf $(VENV) build
