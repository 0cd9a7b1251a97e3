"""A program that a peer starts to run the exercising chaincode itself: python -m tests.shim.run_client FOLDER"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chaincode.shim import ChaincodeClient
from tests.shim.exercise import exercise

if __name__ == "__main__":
    asyncio.run(ChaincodeClient.from_run_folder(Path(sys.argv[1]), exercise).run())
