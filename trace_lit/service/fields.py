"""Kinds of fields of requests and answers: how they are checked, and how the API's description says so."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, WithJsonSchema

from trace_lit.escapes import is_whole


def _whole(text: str) -> str:
    """Refuse half a character, as JSON can escape one: nothing can encode it."""
    if not is_whole(text):
        raise ValueError("the text has half a character (a lone surrogate such as \\ud800); send whole ones")
    return text


Name = Annotated[str, Field(min_length=1, max_length=500)]
# Of these two, what is empty is refused elsewhere, in better words than pydantic's.
Text = Annotated[str, Field(json_schema_extra={"pattern": r"\S"}), AfterValidator(_whole)]
SOME = Field(json_schema_extra={"minItems": 1})


def _written(moment: Any) -> Any:
    """Refuse numbers, which may be seconds or milliseconds."""
    if isinstance(moment, datetime) or (isinstance(moment, str) and re.match(r"\d{4}-\d\d-\d\d", moment)):
        return moment
    raise ValueError("a time is written like 2024-05-31 or 2024-05-31T18:00:00")


_ISO = [
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "date"},
    {"type": "string", "pattern": r"^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"},
]
Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_written), WithJsonSchema({"anyOf": _ISO})]
Utc = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$", examples=["2024-05-31T18:00:00"])
]  # of an answer


def by_kind(words: str) -> Discriminator:
    """Let an error be about the one of a field's kinds that was given: its tag is "text", "list" or "object".

    Parameters
    ----------
    words
        The kinds that the field may be of, like "a text or a list of texts".
    """
    return Discriminator(_kind_of, custom_error_type="kind", custom_error_message=f"Input should be {words}")


def by_kind_of_items(words: str) -> Discriminator:
    """Likewise, where a list has the tag "list" if its first item is a text, and "objects" otherwise."""

    def kind_of(given: Any) -> str | None:
        kind = _kind_of(given)
        return "objects" if kind == "list" and given and not isinstance(given[0], str) else kind

    return Discriminator(kind_of, custom_error_type="kind", custom_error_message=f"Input should be {words}")


def _kind_of(given: Any) -> str | None:
    for kind, name in ((str, "text"), (list, "list"), (dict, "object"), (BaseModel, "object")):
        if isinstance(given, kind):
            return name
    return None
