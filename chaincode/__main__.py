"""Runs the contract as a service: `python -m chaincode --help`."""

import sys

from chaincode.service.service import main

if __name__ == "__main__":
    main(sys.argv[1:])
