"""Errors of the service, in one form: `{"error": …, "error_type": …, "request_id": …}`.

Status codes and types are those that text-embeddings-inference uses: 413 and 422 for what was asked (`validation`), 424
where the model failed (`backend`), 429 where too much waits (`overloaded`), 503 before the models are loaded (`unhealthy`).
"""

from __future__ import annotations

from trace_lit.errors import InputError


class ServiceError(InputError):
    """A request cannot be answered."""

    status = 422
    kind = "validation"


class SlowError(ServiceError):
    """A body that did not come in time."""

    status = 408


class TooLargeError(ServiceError):
    """A body, a batch, a text or a series beyond a limit."""

    status = 413


class UnknownError(ServiceError):
    """A model, a corpus or an instance that there is not."""

    status = 404
    kind = "not_found"


class UnauthorizedError(ServiceError):
    """The token is missing or wrong."""

    status = 401
    kind = "unauthorized"


class ForbiddenError(ServiceError):
    """The service is asked by a name that is not its own."""

    status = 403
    kind = "forbidden"


class BackendError(ServiceError):
    """The model failed."""

    status = 424
    kind = "backend"


class OverloadedError(ServiceError):
    """Too many questions wait."""

    status = 429
    kind = "overloaded"


class UnhealthyError(ServiceError):
    """The models are not loaded yet, or the service is about to end."""

    status = 503
    kind = "unhealthy"
