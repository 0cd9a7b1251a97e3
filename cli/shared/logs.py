"""Sends a node's log to standard error, apart from results on standard output. ZUNFT_LOG=info shows it."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def log_to_standard_error() -> None:
    level = os.environ.get("ZUNFT_LOG", "error").upper()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, logging.WARNING)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
