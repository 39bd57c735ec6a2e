"""What requests and answers look like; the API's description at /docs is made from this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Name = Annotated[str, Field(min_length=1, max_length=500)]
Numbers = Annotated[list[FiniteFloat | None], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Series(_Strict):
    """A series as numbers: a list a channel, oldest first, null where missing."""

    channels: Annotated[dict[Name, Numbers], Field(min_length=1, max_length=1000)] = Field(
        description="By the channel's name, like `wind speed`, or its name and unit, like `wind speed [m/s]`."
    )
    times: list[datetime] | None = Field(
        None, description="One a step, ascending; without a time zone they are in UTC."
    )

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


class SearchRequest(_Strict):
    """One question: `text`, `series`, `csv` or `like`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "a cold day with strong wind", "top": 5}]}
    )

    text: str | None = Field(None, description="A question in words.")
    series: Series | None = None
    csv: Csv | None = None
    like: Name | None = Field(None, description="The id of a window; it is not among its own hits.")
    corpus: Name | None = Field(None, description="Where is searched, see /info; the first by default.")
    top: int = Field(5, ge=1)
    explain: bool = Field(False, description="Say what each channel and each clause adds to a score.")
    values: bool = Field(False, description="Give the values of each hit, and of the query where it is a series.")
    since: datetime | None = Field(None, description="Windows that begin then or later.")
    until: datetime | None = Field(None, description="Windows that have ended then.")
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

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        given = [name for name in ("text", "series", "csv", "like") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of text, series, csv and like; {' and '.join(given) or 'none'} was given")
        return self


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

    times: list[str]
    channels: dict[str, list[float | None]]


class HitModel(BaseModel):
    """A window that was found."""

    score: float
    id: str
    start: datetime
    end: datetime
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
    searched: int = Field(description="How many windows the filters admit.")
    within: Literal["series", "texts", "both"] = Field(
        description="What scores are of: inner products of unit vectors, BM25 of the texts, or the sum of reciprocal ranks."
    )
    seconds: float
    query: Values | None = None
    hits: list[HitModel]


class EmbedRequest(_Strict):
    """Texts as `inputs`, or `series`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"inputs": ["a dry day"]}]})

    inputs: str | list[str] | None = None
    series: Series | Csv | list[Series | Csv] | None = None
    corpus: Name | None = Field(None, description="Whose channels the vectors are of; the first by default.")
    model: Name | None = Field(None, description="A run that searches no corpus, see /info.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.inputs is None) == (self.series is None):
            raise ValueError("give one of inputs and series")
        return self


class OpenAIRequest(BaseModel):
    """The form of OpenAI's embeddings; `input` may also be series."""

    input: str | list[str] | Series | list[Series]
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


class PredictRequest(_Strict):
    """What follows a series (`series` or `csv`), or a window of a corpus (`id`)."""

    series: Series | None = None
    csv: Csv | None = None
    id: Name | None = None
    corpus: Name | None = Field(None, description="The corpus of `id`; the first that has it by default.")
    model: Name | None = Field(None, description="A tuned run, see /info; the first of the task by default.")
    values: bool = Field(False, description="Give what the model looked back on, and the values of its neighbours.")

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        given = [name for name in ("series", "csv", "id") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of series, csv and id; {' and '.join(given) or 'none'} was given")
        return self


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
    start: datetime
    origin: datetime = Field(description="When the window had ended.")
    end: datetime = Field(description="When its continuation had.")
    window: dict[str, list[float | None]] | None = None
    continuation: dict[str, list[float | None]] | None = None


class _Prediction(BaseModel):
    model: str
    id: str | None
    series_id: str
    origin: str | None = Field(description="When the window ends, UTC.")
    lookback: Values | None = None
    retrieved: list[Neighbour]


class ForecastResponse(_Prediction):
    """By channel: `forecast`, a list a quantile, and what is known of the truth."""

    times: list[str] | None
    quantiles: list[float]
    channels: dict[str, dict[str, list[float | None]]]


class ClassifyResponse(_Prediction):
    """The probabilities of the labels."""

    probabilities: dict[str, float]
    label: str | None = Field(description="The window's own, where it is known.")
