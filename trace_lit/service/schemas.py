"""What requests and answers look like; the API's description at /docs is made from this."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, GetJsonSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema

from trace_lit.service.fields import SOME, Moment, Name, Text, Utc, by_kind, by_kind_of_items

Numbers = Annotated[list[FiniteFloat | None], Field(min_length=1)]


class Format(StrEnum):
    """In which form windows are given."""

    JSON = "json"
    CSV = "csv"
    PNG = "png"


class HitsFormat(StrEnum):
    """In which form hits are given."""

    JSON = "json"
    CSV = "csv"
    PNG = "png"
    HTML = "html"


class _Known(BaseModel):
    """No field that there is not."""

    model_config = ConfigDict(extra="forbid")


class _Strict(_Known):
    """Nor a value of another type, like "5" or true for 5."""

    model_config = ConfigDict(strict=True)


class OneOf(_Strict):
    """Exactly one of some fields is given."""

    one_of: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _one_is_given(self) -> Self:
        given = [name for name in self.one_of if getattr(self, name) is not None]
        if len(given) != 1:
            *names, last = self.one_of
            raise ValueError(f"give one of {', '.join(names)} and {last}; {' and '.join(given) or 'none'} was given")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """With what the validator asks for."""
        found = handler(core_schema)
        handler.resolve_ref_schema(found)["oneOf"] = [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in cls.one_of
        ]
        return found


class Series(_Strict):
    """A series as numbers: a list a channel, oldest first, null where missing."""

    channels: Annotated[dict[Name, Numbers], Field(min_length=1, max_length=1000)] = Field(
        description="By the channel's name, like `wind speed`, or its name and unit, like `wind speed [m/s]`."
    )
    times: list[Moment] | None = Field(None, description="One a step, ascending; without a time zone they are in UTC.")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        lengths = {len(values) for values in self.channels.values()}
        lengths |= set() if self.times is None else {len(self.times)}
        if len(lengths) > 1:
            raise ValueError(f"channels and times must have one length, not {sorted(lengths)}")
        return self


Csv = Annotated[
    str,
    Field(min_length=1, description="The text of a CSV file: a row a step, a column a channel, perhaps one `time`."),
]


_Text = Annotated[Text, Tag("text")]
_Texts = Annotated[list[Text], SOME, Tag("list")]
_Series = Annotated[Series, Tag("object")]
_Csv = Annotated[Csv, Tag("text")]
_AnySeries = Annotated[_Series | _Csv, by_kind("an object or the text of a CSV file")]
_AllSeries = Annotated[list[_AnySeries], SOME, Tag("list")]


class SearchOptions(_Known):
    """Where and how is searched; also taken from the query."""

    corpus: Name | None = Field(None, description="Where is searched, see /info; the first by default.")
    top: int = Field(5, ge=1, description="How many hits; at most the `top` of the limits in /info.")
    explain: bool = Field(False, description="Say what each channel and each clause adds to a score.")
    values: bool = Field(False, description="Give the values of each hit, and of the query where it is a series.")
    since: Moment | None = Field(None, description="Windows that begin then or later; UTC without a time zone.")
    until: Moment | None = Field(None, description="Windows that have ended then; UTC without a time zone.")
    label: Name | None = None
    series_id: Name | None = None
    split: Literal["train", "validation", "test"] | None = None
    with_text: bool = Field(False, description="Windows with a text alone.")
    of_corpus: Name | None = Field(None, description="Of an index: windows of one of its corpora.")
    within: Literal["series", "texts", "both"] | None = Field(
        None, description="Of an index: by the series' values, by the words of texts, or by both, the default."
    )
    apart: bool = Field(False, description="Of an index: leave out what overlaps the query in time.")
    diversity: float = Field(0.0, ge=0, le=1, description="Of an index: how much hits should differ from each other.")


class SearchQuery(SearchOptions):
    """The query of /search."""

    format: HitsFormat = Field(HitsFormat.JSON, description="A picture and a page hold what was asked, too.")


class SearchRequest(OneOf, SearchOptions):
    """One question: `text`, `series`, `csv` or `like`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "a cold day with strong wind", "top": 5}]})
    one_of = ("text", "series", "csv", "like")

    text: Text | None = Field(None, description="A question in words.")
    series: Series | None = None
    csv: Csv | None = None
    like: Name | None = Field(None, description="The id of a window; it is not among its own hits.")


class Contribution(BaseModel):
    """What a channel or a clause adds to a score."""

    name: str
    score: float
    weight: float = Field(description="Its share of the question.")
    beats: float | None = Field(description="The share of the windows to which it adds less; null where it is missing.")


class Explanation(BaseModel):
    """What a score consists of."""

    channels: list[Contribution]
    clauses: list[Contribution]
    table: list[list[float]] = Field(description="What each clause adds by each channel.")


class Values(BaseModel):
    """A window as numbers."""

    times: list[Utc] | None
    channels: dict[str, list[float | None]]


class HitModel(BaseModel):
    """A window that was found."""

    score: float
    id: str
    start: Utc
    end: Utc
    label: str | None
    text: str
    split: str
    row: int
    explanation: Explanation | None = None
    series: str = Field("", description="Its series' id.")
    corpus: str = ""
    values: Values | None = None


class SearchResponse(BaseModel):
    """The answers to a question, best first."""

    corpus: str
    searched: int = Field(description="How many windows the filters admit, without the one that is asked about.")
    within: Literal["series", "texts", "both"] = Field(
        description="What scores are of: inner products of unit vectors, BM25 of the texts, or the sum of reciprocal ranks."
    )
    seconds: float
    query: Values | None = None
    hits: list[HitModel]


class InstanceQuery(_Known):
    """The query of /instances/{id}."""

    corpus: Name | None = Field(None, description="The first by default.")
    format: Format = Format.JSON


class EmbedRequest(OneOf):
    """Texts as `inputs`, or `series`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": ["a dry day"]}]})
    one_of = ("inputs", "series")

    inputs: Annotated[_Text | _Texts, by_kind("a text or a list of texts")] | None = None
    series: (
        Annotated[_Series | _Csv | _AllSeries, by_kind("an object, the text of a CSV file, or a list of these")] | None
    ) = None
    corpus: Name | None = Field(None, description="Whose channels the vectors are of; the first by default.")
    model: Name | None = Field(None, description="A run that searches no corpus, see /info.")


class OpenAIRequest(BaseModel):
    """The form of OpenAI's embeddings; `input` may also be series."""

    model_config = ConfigDict(strict=True)

    input: Annotated[
        _Text | _Texts | _Series | Annotated[list[Series], SOME, Tag("objects")],
        by_kind_of_items("a text, a series, or a list of texts or of series"),
    ]
    model: str = Field("", description="A corpus or a model, see /info; the first by default.")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1, description="The width of the vectors, which cannot be changed.")
    user: str | None = None


class OpenAIEmbedding(BaseModel):
    """One vector."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class OpenAIUsage(BaseModel):
    """How much was read: words of texts and steps of series."""

    prompt_tokens: int
    total_tokens: int


class OpenAIResponse(BaseModel):
    """Vectors in the order of `input`."""

    object: Literal["list"] = "list"
    data: list[OpenAIEmbedding]
    model: str
    usage: OpenAIUsage


class PredictOptions(_Known):
    """By what is predicted; also taken from the query."""

    corpus: Name | None = Field(None, description="The corpus of `id`; the first that has it by default.")
    model: Name | None = Field(None, description="A tuned run, see /info; the first of the task by default.")
    values: bool = Field(False, description="Give what the model looked back on, and the values of its neighbours.")


class PredictRequest(OneOf, PredictOptions):
    """What follows a series (`series` or `csv`), or a window of a corpus (`id`)."""

    one_of = ("series", "csv", "id")

    series: Series | None = None
    csv: Csv | None = None
    id: Name | None = None


class ErrorModel(BaseModel):
    """All errors have this form."""

    error: str
    error_type: str
    request_id: str


class Neighbour(BaseModel):
    """An earlier window that a prediction rests on."""

    id: str
    series_id: str
    similarity: float
    text: str
    label: str | None
    start: Utc
    origin: Utc = Field(description="When the window had ended.")
    end: Utc = Field(description="When its continuation had.")
    window: dict[str, list[float | None]] | None = None
    continuation: dict[str, list[float | None]] | None = None


class _Prediction(BaseModel):
    model: str
    id: str | None
    series_id: str
    origin: Utc | None = Field(description="When the window ends, UTC.")
    lookback: Values | None = None
    retrieved: list[Neighbour]


class ForecastResponse(_Prediction):
    """By channel: `forecast`, a list a quantile, and what is known of the truth."""

    times: list[Utc] | None
    quantiles: list[float]
    channels: dict[str, dict[str, list[float | None]]]


class ClassifyResponse(_Prediction):
    """The probabilities of the labels."""

    probabilities: dict[str, float]
    label: str | None = Field(description="The window's own, where it is known.")
