"""Values keep what they change by, however far from zero they lie: from the corpus through a model to a forecast."""

from datetime import datetime, timedelta

import numpy as np
import pytest
import torch

from data_modules import DomainDataModule
from data_modules.config import DataConfig, WindowConfig
from data_modules.corpus import Corpus, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from trace_lit.batch import choose_offset, less
from trace_lit.channels import Channel
from trace_lit.encoder import ForecastModel, SeriesEncoder
from trace_lit.encoder.baselines import NLinear
from trace_lit.encoder.config import EncoderConfig
from trace_lit.encoder.patches import InstanceNorm

STEPS, LENGTH = 600, 24
COUNTER, LEVEL = 123_456_789, 1e7
ENCODER = EncoderConfig(width=16, layers=1, heads=2, dropout=0.0)


def series_at(counter: float, level: float) -> np.ndarray:
    """A counter with steps of 0 to 2 and a level with noise of a thousandth, (2, STEPS)."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 3, STEPS).cumsum() + counter
    return np.stack([counts, level + 1e-3 * np.sin(np.arange(STEPS) / 5) + 1e-4 * rng.normal(size=STEPS)])


@pytest.fixture(scope="module")
def corpora(tmp_path_factory) -> dict[str, Corpus]:
    """The same series near zero and far from it."""
    found = {}
    for name, at in {"near": (0, 0.0), "far": (COUNTER, LEVEL)}.items():
        values = series_at(*at)
        info = CorpusInfo("meters", name, "test", (Channel("counter", "1"), Channel("level", "V")), "1h")
        records = [
            Record(
                str(first),
                "s",
                datetime(2024, 1, 1) + timedelta(hours=first),
                values[:, first : first + LENGTH],
                channel_texts=["", ""],
            )
            for first in range(0, STEPS - LENGTH + 1, LENGTH)
        ]
        found[name] = write_corpus(records, info, tmp_path_factory.mktemp("values") / name)
    return found


def data_on(corpus: Corpus, window: WindowConfig | None = None) -> DomainDataModule:
    data = DomainDataModule(DataConfig(corpus=str(corpus.path)), None, text_unit="none", window=window)
    data.setup("fit")
    return data


def test_a_corpus_holds_values_as_they_came(corpora):
    loaded = np.concatenate(Corpus.load(corpora["far"].path).values(), axis=1)
    np.testing.assert_array_equal(loaded, series_at(COUNTER, LEVEL)[:, : loaded.shape[1]])


def test_a_batch_keeps_what_values_change_by(corpora):
    near, far = (data_on(corpora[name]).datasets["train"][0] for name in ("near", "far"))
    one, other = near[list(range(len(near)))], far[list(range(len(far)))]
    assert one.offset is None
    assert other.offset is not None
    torch.testing.assert_close(other.values[:, 0].diff(), one.values[:, 0].diff(), rtol=0, atol=0)
    torch.testing.assert_close(other.values[:, 1].diff(), one.values[:, 1].diff(), rtol=0, atol=1e-8)
    raw = torch.from_numpy(np.stack(list(far.values)))
    torch.testing.assert_close(other.in_units(other.values), raw, rtol=0, atol=1e-8)


def test_an_encoder_sees_the_same_near_zero_and_far_from_it(corpora):
    outputs = []
    for name in ("near", "far"):
        data = data_on(corpora[name])
        torch.manual_seed(0)
        encoder = SeriesEncoder(ENCODER, data.vocabulary).eval()
        outputs.append(encoder(data.datasets["train"][0][[0, 3, 7]]))
    near, far = outputs
    assert near.cls.std() > 0.1
    torch.testing.assert_close(far.cls, near.cls, rtol=0, atol=2e-3)
    torch.testing.assert_close(far.channels, near.channels, rtol=0, atol=2e-3)


@pytest.mark.parametrize("kind", ["trace", "NLinear"])
def test_forecasts_lie_exactly_on_the_values_own_scale(corpora, kind):
    """A forecaster with the same weights forecasts the same changes; the level is that of the values, in float64."""
    forecasts = []
    for name in ("near", "far"):
        data = data_on(corpora[name], WindowConfig(horizon=6, lookback=24))
        torch.manual_seed(1)
        model = (
            ForecastModel(SeriesEncoder(ENCODER, data.vocabulary), 24, 6)
            if kind == "trace"
            else NLinear(data.vocabulary, 24, 6)
        ).eval()
        torch.nn.init.normal_(model.head.projection.weight if kind == "trace" else model.projection.weight, std=0.02)
        batch = data.datasets["test"][0][[0, 5]]
        forecast = batch.in_units(model(batch).values.squeeze(-1).detach())
        forecasts.append((forecast.double(), batch.in_units(batch.future).double()))
    (near, truth), (far, true_far) = forecasts
    away = torch.tensor([COUNTER, LEVEL], dtype=torch.float64)[None, :, None]
    spread = torch.tensor([300.0, 1e-3])[None, :, None]
    torch.testing.assert_close((true_far - away) / spread, truth / spread, rtol=0, atol=1e-4)
    assert ((near - truth) / spread).abs().max() > 0.01  # there is something to compare
    torch.testing.assert_close((far - away) / spread, near / spread, rtol=0, atol=2e-3)


@pytest.mark.parametrize("transform", ["none", "sqrt", "log"])
def test_what_is_normalised_comes_back(transform):
    """On every scale, to float32's digits of the range and not of the level."""
    generator = torch.Generator().manual_seed(0)
    level = torch.tensor([1e3, 1e7, 123_456_789.0], dtype=torch.float64)[None, :, None]
    values = level + torch.randn(4, 3, 24, generator=generator, dtype=torch.float64)
    observed, unknown = torch.ones(4, 3, 24, dtype=torch.bool), torch.full((3,), torch.nan)
    offset = choose_offset(values, observed, unknown, unknown)
    assert (offset != 0).any(0).tolist() == [False, True, True]
    centred = less(values, offset)
    norm = InstanceNorm.of(centred, observed, torch.zeros(4, 3), transform=transform, offset=offset)
    normalised = norm.normalise(centred)
    assert normalised[:, 1:].std(-1).gt(0.9).all()
    back = norm.denormalise(normalised).double() + offset.unsqueeze(-1)
    torch.testing.assert_close(back[:, 1:], values[:, 1:], rtol=0, atol=1e-5)


def test_ordinary_values_stay_in_their_units():
    """Nothing is taken off what float32 holds well, so that models of before see the same."""
    values = 1003 + torch.randn(8, 3, 24).cumsum(-1)
    values[0] = 7.1
    observed = torch.ones_like(values, dtype=torch.bool)
    usual = torch.tensor([1003.0, 5.0, torch.nan])
    assert choose_offset(values, observed, usual, torch.tensor([8.0, 3.0, torch.nan])) is None
    assert less(values, None) is values
