"""This machine's Docker engine, for tests that need one."""

from __future__ import annotations

import gc
import warnings

import docker

from network.errors import (
    EnginePermissionDenied,
    NoEngine,
)
from network.finding.docker_images import find_engine


def machine_engine() -> docker.DockerClient | None:
    """A client of the engine, which the caller closes, or None if no engine can be used.

    A failed attempt leaves no open socket for a later test.
    """
    with warnings.catch_warnings():
        # The library forgets to close a socket that it could not connect.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return find_engine()
        except (NoEngine, EnginePermissionDenied):
            pass
        gc.collect()
    return None
