"""The common part of all calls: they check the caller, and turn errors into statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any, NoReturn, Protocol, TypeVar

import grpc
import structlog

from chaincode.refusal import refusal
from node.api.access import check_access
from node.api.failures import code_of
from node.errors import BadRequest
from zunft.client import REFUSAL_KEY

MAX_LIMIT = 1000


class Guarded(Protocol):
    """A service that knows the revoked certificates of its callers."""

    def is_revoked(self, serial_number: int) -> bool: ...


Service = TypeVar("Service", bound=Guarded)
Request = TypeVar("Request")
Answer = TypeVar("Answer")
Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()


def answering(
    method: Callable[[Service, Request, Context], Awaitable[Answer]],
) -> Callable[[Service, Request, Context], Awaitable[Answer]]:
    """A decorator for a call with one answer."""

    @wraps(method)
    async def call(service: Service, request: Request, context: Context) -> Answer:
        try:
            check_access(method.__name__, context.auth_context(), service.is_revoked)
            return await method(service, request, context)
        except Exception as error:  # every error gets its status
            await _abort(context, method.__name__, error)

    return call


def streaming(
    method: Callable[[Service, Request, Context], AsyncIterator[Answer]],
) -> Callable[[Service, Request, Context], AsyncIterator[Answer]]:
    """A decorator for a call with many answers; `method` is an asynchronous generator."""

    @wraps(method)
    async def call(service: Service, request: Request, context: Context) -> AsyncIterator[Answer]:
        try:
            check_access(method.__name__, context.auth_context(), service.is_revoked)
            async with aclosing(method(service, request, context)) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    # The certificate may have been revoked meanwhile.
                    check_access(method.__name__, context.auth_context(), service.is_revoked)
                    yield answer
        except Exception as error:  # every error gets its status
            await _abort(context, method.__name__, error)

    return call


def checked_limit(limit: int) -> int:
    """The number of items to return, at most 1000; 0 means 1000. Raises BadRequest."""
    if limit > MAX_LIMIT:
        raise BadRequest(f"limit is {limit}: ask for at most {MAX_LIMIT} at once, then for those after them")
    return limit or MAX_LIMIT


def checked_number(name: str, number: int) -> int:
    """A sequence or a block's number, checked to be below 2^63 as all on the ledger are. Raises BadRequest."""
    if number >= 2**63:
        raise BadRequest(f"{name} is {number}: give a number below 2^63, such as one of an earlier answer")
    return number


async def _abort(context: Context, name: str, error: Exception) -> NoReturn:
    """Ends the call with this error; the text of an unforeseen one goes to the log only."""
    code = code_of(error)
    if code is grpc.StatusCode.INTERNAL:
        log.exception("call failed", call=name, exc_info=error)
        await context.abort(code, "the node failed: see its log for the reason")
    await context.abort(code, str(error), ((REFUSAL_KEY, refusal(error).SerializeToString()),))
