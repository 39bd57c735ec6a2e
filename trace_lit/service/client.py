"""A service asked from Python, as if its model were loaded here."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from trace_lit.inference import Hits

_WAIT = 0.2  # seconds before a request that met an overloaded service is sent again; each time twice as long
_AGAIN = (429, 503)


class ClientError(InputError):
    """A service cannot be reached, or refuses a request; the message is the service's own."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status  # of HTTP; None where there was no answer


class Client:
    """A service of `trace-lit serve`, with the methods of a loaded model.

    Parameters
    ----------
    url
        Of the service, like "http://127.0.0.1:8000".
    token
        That it asks for.
    corpus
        The name of the corpus that is asked about; the service's first by default.
    timeout
        Seconds until a request fails.
    retries
        How often a request is sent again while the service is overloaded or still loads.

    Raises
    ------
    ClientError
        Of all methods: the service does not answer, or refuses.

    Examples
    --------
    >>> model = trace_lit.Client("http://127.0.0.1:8000")  # doctest: +SKIP
    >>> model.search("a cold front", top=3).to_frame()[["score", "id"]]  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        corpus: str | None = None,
        timeout: float = 60.0,
        retries: int = 6,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise ConfigError(
                "the client needs the package httpx; install it with: pip install 'trace_lit[serve]'"
            ) from None
        self._errors = httpx.HTTPError, httpx.InvalidURL
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self.url, self._corpus, self._retries = url, corpus, retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def close(self) -> None:
        """Close the connections to the service."""
        self._http.close()

    @cached_property
    def info(self) -> dict[str, Any]:
        """The service's models, corpora and limits, as `GET /info` gives them."""
        return self._ask("GET", "info")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those of the corpus that is asked about; arrays have them in this order."""
        listed = self._described["channels"]
        return tuple(Channel(own["name"], own["unit"], own["description"]) for own in listed)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels of the corpus that is asked about."""
        return tuple(self._described["labels"])

    @property
    def _described(self) -> dict[str, Any]:
        """The corpus that is asked about, or the first model where none is searched."""
        corpora = self.info["corpora"]
        if not corpora:
            model = self.info["models"][0]
            return {"channels": model["channels"], "labels": model["label_names"]}
        return _named(corpora, self._corpus, "corpus") if self._corpus is not None else corpora[0]

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N texts, see `AlignedRun.embed_text`."""
        if isinstance(texts, str):
            raise ConfigError("embed_text takes a list of texts, not one text: write embed_text([text])")
        return self._embed("inputs", list(texts))

    def embed_series(self, data: Any) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N windows; `data` as in `LoadedRun.embed_series`."""
        from trace_lit.inference.inputs import read_windows

        return self._embed("series", [_series(window) for window in read_windows(data, self.channels)])

    def _embed(self, kind: str, items: list[Any]) -> NDArray[np.float32]:
        size = self.info["limits"]["batch"]
        found = []
        for first in range(0, len(items), size):
            body = {kind: items[first : first + size], **({} if self._corpus is None else {"corpus": self._corpus})}
            found += self._ask("POST", "embed", body)
        return np.array(found, dtype=np.float32)

    def search(
        self,
        text: str | None = None,
        *,
        series: Any = None,
        like: str | None = None,
        top: int = 5,
        split: str | None = None,
        explain: bool = False,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        label: str | None = None,
        series_id: str | None = None,
        with_text: bool = False,
        of_corpus: str | None = None,
        within: str | None = None,
        apart: bool = False,
        diversity: float = 0.0,
    ) -> Hits:
        """The windows that answer a question, best first; one of `text`, `series` and `like` is given.

        Parameters
        ----------
        text, series, like, top, split, explain
            See `AlignedRun.search`.
        since, until
            Windows that begin, or have ended, then, a datetime or like "2016-01-31": in UTC without a time zone.
        label, series_id
            Windows of one label, or of one series.
        with_text
            Windows that have a text alone.
        of_corpus, within, apart, diversity
            Of a service with a kept index: see `Index.search`, whose filter has `of_corpus` as `corpus`.
        """
        from trace_lit.inference import Hits
        from trace_lit.inference.inputs import read_window

        asked: dict[str, Any] = {
            "text": text,
            "series": None if series is None else _series(read_window(series, self.channels)),
            "like": like,
            "corpus": self._corpus,
            "since": _moment(since),
            "until": _moment(until),
            "split": split,
            "label": label,
            "series_id": series_id,
            "of_corpus": of_corpus,
            "within": within,
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        asked |= {"top": top, "explain": explain, "with_text": with_text, "apart": apart, "diversity": diversity}
        answer = self._ask("POST", "search", asked)
        return Hits(map(_hit, answer["hits"]), answer["searched"])

    def predict(self, data: Any, *, model: str | None = None) -> pd.DataFrame:
        """The forecast after the end of a series, or the probabilities of its labels, see `TunedRun.predict`.

        Parameters
        ----------
        model
            The name of a tuned run; the service's first by default.
        """
        import pandas as pd

        from trace_lit.inference.inputs import read_input

        tuned = [own for own in self.info["models"] if "task" in own]
        if not tuned:
            raise ClientError(f"{self.url} serves no tuned run")
        chosen = tuned[0] if model is None else _named(tuned, model, "tuned run")
        channels = [Channel(own["name"], own["unit"]) for own in chosen["channels"]]
        asked = {"series": _series(read_input(data, channels)), "model": chosen["name"]}
        if chosen["task"] == "classify":
            return pd.DataFrame([self._ask("POST", "classify", asked)["probabilities"]])
        found = self._ask("POST", "forecast", asked)
        rows = []
        for key, values in found["channels"].items():
            channel = Channel.of_key(key)
            names = [name for name in values if name != "truth"]
            for step in range(len(values["forecast"])):
                row = {"channel": channel.name, "unit": channel.unit, "step": step + 1}
                if found["times"] is not None:
                    row["time"] = pd.Timestamp(found["times"][step])
                rows.append(row | {name: np.float32(values[name][step]) for name in names})
        return pd.DataFrame(rows)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        import orjson

        content = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        headers = {"content-type": "application/json"}
        for attempt in range(self._retries + 1):
            try:
                answer = self._http.request(method, path, content=content, headers=headers)
            except self._errors as error:
                raise ClientError(f"{self.url} does not answer: {error or type(error).__name__}") from None
            if answer.status_code not in _AGAIN or attempt == self._retries:
                break
            time.sleep(_WAIT * 2**attempt)
        if answer.is_success:
            return orjson.loads(answer.content)
        try:
            message = str(answer.json()["error"])
        except (ValueError, KeyError, TypeError):
            message = f"{self.url} answered with status {answer.status_code}; is it a service of trace-lit?"
        raise ClientError(message, answer.status_code)


def _named(known: list[dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    for own in known:
        if own["name"] == name:
            return own
    names = ", ".join(own["name"] for own in known)
    raise ClientError(f"the service has no {what} named {name!r}; there are: {names}")


def _series(window: Any) -> dict[str, Any]:
    """An `InputSeries` as the API takes it."""
    channels = {
        channel.key: np.ascontiguousarray(row) for channel, row in zip(window.channels, window.values, strict=True)
    }
    times = None if window.times is None else [moment.isoformat() for moment in window.times]
    return {"channels": channels, "times": times}


def _moment(time: datetime | str | None) -> str | None:
    return time if time is None or isinstance(time, str) else time.isoformat()


def _hit(plain: dict[str, Any]) -> Any:
    from trace_lit.retrieval import Contribution, Explanation, Hit

    known = {field.name for field in dataclasses.fields(Hit)}
    own = {name: value for name, value in plain.items() if name in known}
    own |= {name: datetime.fromisoformat(plain[name]) for name in ("start", "end")}
    if (why := plain.get("explanation")) is not None:
        parts = {kind: tuple(Contribution(**one) for one in why[kind]) for kind in ("channels", "clauses")}
        own["explanation"] = Explanation(**parts, table=tuple(map(tuple, why["table"])))
    return Hit(**own)
