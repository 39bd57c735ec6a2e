"""The error of this room, without what its other modules import."""

from trace_lit.errors import InputError


class RetrievalError(InputError):
    """A search or its evaluation is not possible as given."""
