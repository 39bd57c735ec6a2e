"""The simulated corpora look like the real thing, and what their texts say is what their values show."""

import random
import re
from collections import Counter

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from data_modules.corpus import CorpusError, validate_corpus
from data_modules.corpus_writing import write_corpus
from data_modules.frequency import Frequency
from data_modules.sources import generated
from data_modules.sources.generated.simulator import correlations, noise
from data_modules.sources.generated.wording import Account, Frame, expand, report, sentences
from data_modules.splits import SPLITS, split_by_time

SOURCES = {"weather": generated.weather, "healthcare": generated.healthcare, "energy": generated.energy}
RANGES = {
    "temperature": (-45, 50),
    "relative humidity": (0, 100),
    "pressure": (930, 1070),
    "wind speed": (0, 60),
    "precipitation": (0, 150),
    "solar radiation": (0, 1361),  # not more than arrives above the air
    "heart rate": (20, 250),
    "respiratory rate": (2, 70),
    "oxygen saturation": (50, 100),
    "systolic blood pressure": (30, 300),
    "diastolic blood pressure": (15, 200),
    "body temperature": (30, 43),
    "load": (500, 30_000),
    "spot price": (-500, 4000),
    "wind generation": (0, 10_000),
    "solar generation": (0, 10_000),
    "net imports": (-10_000, 10_000),
    "grid frequency": (49, 51),
}


@pytest.fixture(scope="module")
def by_domain():
    made = {domain: source() for domain, source in SOURCES.items()}
    return {domain: (info, list(records)) for domain, (info, records) in made.items()}


@pytest.fixture(params=list(SOURCES))
def corpus(request, by_domain):
    return by_domain[request.param]


def _values(info, records, channel):
    """All windows' values of a channel, by label."""
    place = [c.name for c in info.channels].index(channel)
    return {label: [r.values[place] for r in records if r.label == label] for label in info.label_names}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_seed_gives_the_same_corpus_and_another_seed_another(source):
    first, again, other = (list(source(instances=90, seed=seed)[1]) for seed in (3, 3, 4))
    for a, b in zip(first, again, strict=True):
        assert (a.id, a.start, a.text, a.label) == (b.id, b.start, b.text, b.label)
        np.testing.assert_array_equal(a.values, b.values)
    assert sum(a.text == b.text for a, b in zip(first, other, strict=True)) < 10
    assert not any(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(first, other, strict=True))


def test_it_says_that_it_is_generated(corpus):
    info, _ = corpus
    assert info.generated
    assert info.name == info.source == "generated"
    assert "generated" in info.description.lower()


def test_channels_have_units_and_labels_are_many_and_even(corpus):
    info, records = corpus
    assert len(info.channels) >= 5
    assert all(channel.unit and channel.description for channel in info.channels)
    assert len(info.label_names) >= 8
    counts = Counter(record.label for record in records)
    assert set(counts) == set(info.label_names)
    assert min(counts.values()) > 0.9 * max(counts.values())


def test_the_asked_number_of_windows_comes_with_unique_ids():
    for source in SOURCES.values():
        records = list(source(instances=101, length=24)[1])
        assert len(records) == len({record.id for record in records}) == 101
        assert max(record.values.shape[1] for record in records) == 24


def test_windows_of_a_series_come_in_order_and_do_not_overlap(corpus):
    _, records = corpus
    end = {}
    for record in records:
        assert record.series_id not in end or record.start >= end[record.series_id]
        steps = Frequency.parse(record.frequency).microseconds * record.values.shape[1]
        end[record.series_id] = record.start + np.timedelta64(steps, "us").item()
    assert len(end) >= 6


def test_every_split_by_time_has_every_label(corpus):
    info, records = corpus
    starts = np.array([record.start for record in records], dtype="M8[us]")
    splits, keep = split_by_time([record.series_id for record in records], starts, starts + np.timedelta64(3, "D"))
    labels = np.array([record.label for record in records])
    for split in SPLITS:
        counts = Counter(labels[(splits == split) & keep])
        assert set(counts) == set(info.label_names)
        assert min(counts.values()) > 0.4 * max(counts.values())


def test_sites_report_at_different_intervals(by_domain):
    for _, records in by_domain.values():
        assert len({record.frequency for record in records}) >= 2
    for domain in ("weather", "healthcare"):
        assert len({record.values.shape[1] for record in by_domain[domain][1]}) >= 2


def test_values_are_missing_singly_in_gaps_and_for_whole_channels(corpus):
    _, records = corpus
    missing = [np.isnan(record.values) for record in records]
    assert 0.01 < np.mean(np.concatenate([m.ravel() for m in missing])) < 0.08
    whole = np.mean([m.all(axis=1).any() for m in missing])
    assert 0.01 < whole < 0.15
    assert not any(m.all() for m in missing)
    runs = Counter(len(run) for m in missing for row in m for run in "".join("x" if v else " " for v in row).split())
    assert runs[1] > 300
    assert runs[4] + runs[5] > 20


def test_values_are_physically_possible(corpus):
    info, records = corpus
    for place, channel in enumerate(info.channels):
        values = np.concatenate([record.values[place] for record in records])
        assert np.nanmin(values) >= RANGES[channel.name][0], channel.name
        assert np.nanmax(values) <= RANGES[channel.name][1], channel.name
        assert not np.isinf(values).any()
        assert np.nanstd(values) > 0


def test_pressures_of_a_patient_are_in_order(by_domain):
    _, records = by_domain["healthcare"]
    assert all(np.nanmin(r.values[3] - r.values[4], initial=99) > 0 for r in records)


def test_days_and_years_have_their_cycles(by_domain):
    info, records = by_domain["weather"]
    hourly = [r for r in records if r.series_id == "weather-millbrook"]  # keeps UTC
    hours = np.concatenate([r.start.hour + np.arange(r.values.shape[1]) for r in hourly]) % 24
    series = {c.name: np.concatenate([r.values[n] for r in hourly]) for n, c in enumerate(info.channels)}
    at = {hour: {name: np.nanmean(values[hours == hour]) for name, values in series.items()} for hour in (0, 4, 12, 15)}
    assert at[15]["temperature"] > at[4]["temperature"] + 3
    assert at[15]["relative humidity"] < at[4]["relative humidity"] - 10
    assert at[0]["solar radiation"] == 0 < 100 < at[12]["solar radiation"]

    def temperature(station, months):
        chosen = [r.values[0] for r in records if r.series_id == station and r.start.month in months]
        return np.nanmean(np.concatenate(chosen))

    assert temperature("weather-millbrook", (6, 7, 8)) > temperature("weather-millbrook", (12, 1, 2)) + 10
    assert temperature("weather-southmere", (6, 7, 8)) < temperature("weather-southmere", (12, 1, 2)) - 5

    info, records = by_domain["energy"]
    zone = [r for r in records if r.series_id == "energy-highland"]  # keeps UTC
    hours = np.concatenate([r.start.hour + np.arange(r.values.shape[1]) / 2 for r in zone]) % 24
    load = np.concatenate([r.values[0] for r in zone])
    assert np.nanmean(load[hours == 18.5]) > 1.2 * np.nanmean(load[hours == 4])


def test_sites_have_levels_of_their_own(corpus):
    info, records = corpus
    apart = []
    for place in range(len(info.channels)):
        means = {}
        for record in records:
            if np.isfinite(record.values[place]).any():
                means.setdefault(record.series_id, []).append(np.nanmean(record.values[place]))
        spread = np.mean([np.std(values) for values in means.values()])
        apart.append(np.std([np.mean(values) for values in means.values()]) / spread)
    assert max(apart) > 0.4


# (domain, channel, statistic of a window, event where it is larger, event where it is smaller, by how much at least)
SIGNATURES = [
    ("weather", "pressure", np.nanmin, "fair weather", "gale", 15),
    ("weather", "wind speed", np.nanmax, "gale", "fair weather", 8),
    ("weather", "pressure", np.nanmean, "fair weather", "thunderstorm", 8),
    ("weather", "precipitation", np.nanmax, "thunderstorm", "gale", 5),
    ("weather", "precipitation", np.nansum, "steady rain", "gale", 15),
    ("weather", "temperature", np.nanmean, "heat wave", "fair weather", 10),
    ("weather", "temperature", np.nanmean, "fair weather", "cold spell", 12),
    ("weather", "relative humidity", np.nanmean, "dense fog", "foehn", 20),
    ("weather", "wind speed", np.nanmean, "foehn", "dense fog", 2),
    ("weather", "temperature", np.ptp, "cold front", "snowfall", 1),
    ("weather", "solar radiation", np.nanmax, "heat wave", "snowfall", 300),
    ("healthcare", "systolic blood pressure", np.nanmin, "fever", "sepsis", 20),
    ("healthcare", "body temperature", np.nanmax, "sepsis", "haemorrhage", 1),
    ("healthcare", "heart rate", np.nanmax, "haemorrhage", "stable recovery", 20),
    ("healthcare", "heart rate", np.nanmin, "stable recovery", "bradycardia", 20),
    ("healthcare", "oxygen saturation", np.nanmin, "pain and agitation", "hypoxia", 6),
    ("healthcare", "respiratory rate", np.nanmax, "hypoxia", "opioid respiratory depression", 5),
    ("healthcare", "respiratory rate", np.nanmin, "hypoxia", "opioid respiratory depression", 4),
    ("healthcare", "systolic blood pressure", np.nanmax, "hypertensive crisis", "pain and agitation", 20),
    ("energy", "spot price", np.nanmax, "price spike", "plant outage", 50),
    ("energy", "wind generation", np.nanmax, "wind surplus with curtailment", "wind lull", 1000),
    ("energy", "spot price", np.nanmin, "holiday low demand", "solar surplus", 15),
    ("energy", "solar generation", np.nanmax, "solar surplus", "wind lull", 1000),
    ("energy", "temperature", np.nanmean, "cooling demand", "cold-snap peak load", 25),
    ("energy", "load", np.nanmean, "cold-snap peak load", "holiday low demand", 1500),
    ("energy", "grid frequency", np.nanmin, "price spike", "frequency disturbance", 0.07),
    ("energy", "grid frequency", np.nanmax, "regional blackout", "plant outage", 0.03),
    ("energy", "net imports", np.nanmax, "plant outage", "holiday low demand", 300),
]


@pytest.mark.parametrize(("domain", "channel", "statistic", "larger", "smaller", "margin"), SIGNATURES)
def test_events_show_in_the_values(by_domain, domain, channel, statistic, larger, smaller, margin):
    values = _values(*by_domain[domain], channel)
    kept = {name: [v[np.isfinite(v)] for v in values[name] if np.isfinite(v).sum() > 5] for name in (larger, smaller)}
    means = {name: np.mean([statistic(v) for v in windows]) for name, windows in kept.items()}
    assert means[larger] > means[smaller] + margin


def test_rain_falls_above_freezing_and_snow_below(by_domain):
    _, records = by_domain["weather"]
    for label, warm in (("steady rain", True), ("snowfall", False)):
        wet = [r.values[0][r.values[4] > 0.5] for r in records if r.label == label]
        assert np.mean((np.concatenate(wet) > 1) == warm) > 0.9


def test_onsets_differ(by_domain):
    windows = _values(*by_domain["healthcare"], "heart rate")["atrial fibrillation"]
    jumps = [np.nanargmax(np.diff(v)) / len(v) for v in windows if np.isfinite(np.diff(v)).any()]
    assert np.std(jumps) > 0.08


def test_statistics_of_a_window_tell_its_label_though_not_always(corpus):
    info, records = corpus
    rows = []
    for record in records:
        filled = np.where(np.isfinite(record.values).any(1)[:, None], record.values, 0)
        slope = np.nanmean(filled * np.linspace(-1, 1, filled.shape[1]), axis=1)
        rows.append(
            np.concatenate([f(filled, axis=1) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)] + [slope])
        )
    labels = np.array([info.label_names.index(record.label) for record in records])
    held_out = np.arange(len(records)) % 4 == 0
    fitted = LinearDiscriminantAnalysis().fit(np.stack(rows)[~held_out], labels[~held_out])
    assert 0.8 < fitted.score(np.stack(rows)[held_out], labels[held_out]) < 0.999


def test_texts_are_varied_and_clean(corpus):
    _, records = corpus
    texts = [record.text for record in records]
    reports = [text for text in texts if text]
    assert 0.005 < 1 - len(reports) / len(texts) < 0.05
    assert len(set(reports)) > 0.97 * len(reports)
    assert 0.35 < np.mean([any(c.isdigit() for c in text) for text in reports]) < 0.75
    literal = np.mean([record.label in record.text.lower() for record in records if record.text])
    assert 0.02 < literal < 0.6
    for text in reports:
        assert not re.search(r"[\[\]{}|]|a\(n\)|\bnan\b|  | [,.;:]|\.\.", text), text
        assert text[0].isupper() or text[0].isdigit() or text[0] == "-", text
        assert text.endswith("."), text
        assert not re.search(r"\ba [aeio]\w|\ban [^aeiouh\W]", text, re.I), text
        assert not re.search(r"\d\.\d{4}", text), text
    words = [set(re.findall(r"\w+", text.lower())) for text in reports]
    assert len(set().union(*words)) > 250


def test_texts_name_site_and_time(by_domain):
    for domain, (_, records) in by_domain.items():
        names = {r.series_id: re.sub(r"-bed-.*", "", r.series_id.split("-", 1)[1]).split("-")[0] for r in records}
        named = np.mean([names[r.series_id] in r.text.lower() for r in records])
        assert named > (0.15 if domain == "healthcare" else 0.5)
        parts = "night|hours|dawn|morning|noon|midday|evening|midnight|sunrise|day|:[03]0"
        assert np.mean([bool(re.search(parts, r.text)) for r in records]) > 0.4


def test_numbers_in_texts_are_those_of_the_values(by_domain):
    stated = [
        ("weather", "wind speed", np.nanmax, r"[Ff]oehn gusts of (-?\d+) m/s"),
        ("weather", "temperature", np.nanmin, r"ran from (-?\d+) to"),
        ("weather", "pressure", np.nanmean, r"[Mm]ean pressure (?:was|came to) (\d+) hPa"),
        ("weather", "precipitation", np.nansum, r"and (\d+) mm of rain"),
        ("healthcare", "heart rate", np.nanmean, r"[Mm]ean heart rate (\d+)/min"),
        ("healthcare", "oxygen saturation", np.nanmin, r"[Ll]owest saturation (\d+) %"),
        ("energy", "load", np.nanmean, r"[Ll]oad averaged ([\d,]+) MW"),
        ("energy", "spot price", np.nanmax, r"price to (\d+) €/MWh"),
    ]
    for domain, channel, statistic, pattern in stated:
        info, records = by_domain[domain]
        place = [c.name for c in info.channels].index(channel)
        found = [(re.search(pattern, record.text), record) for record in records]
        pairs = [(float(hit[1].replace(",", "")), statistic(record.values[place])) for hit, record in found if hit]
        assert len(pairs) > 2, pattern
        for number, value in pairs:
            assert abs(number - value) <= 0.51, pattern


def test_too_small_corpora_are_refused():
    with pytest.raises(CorpusError, match=r"instances=3.*8 sites"):
        generated.weather(instances=3)
    with pytest.raises(CorpusError, match=r"length=5.*12 steps"):
        generated.energy(length=5)


def test_corpora_can_be_written(tmp_path):
    for domain, source in SOURCES.items():
        info, records = source(instances=80, length=24)
        written = write_corpus(records, info, tmp_path / domain)
        assert validate_corpus(written.path) == []
        assert written.info.generated


def test_noise_has_the_asked_deviation_memory_and_correlation():
    made = noise(np.random.default_rng(0), (4000, 30), 1.0, (8.0, 8.0, 0.1), correlations(3, {(0, 1): 0.6}))
    np.testing.assert_allclose(made.std(axis=0), 1, atol=0.06)
    assert abs(np.corrcoef(made[:, 0, 20], made[:, 1, 20])[0, 1] - 0.6) < 0.05
    assert abs(np.corrcoef(made[:, 0, 20], made[:, 2, 20])[0, 1]) < 0.05
    lagged = [np.corrcoef(made[:, 0, 15], made[:, 0, 15 + lag])[0, 1] for lag in (1, 4, 12)]
    assert 1 > lagged[0] > lagged[1] > lagged[2] > 0.1
    assert abs(np.corrcoef(made[:, 2, 15], made[:, 2, 16])[0, 1]) < 0.05


def test_grammar_takes_each_alternative_and_leaves_facts_alone():
    rng = random.Random(0)
    assert {expand("[a|b[c|]]", rng) for _ in range(50)} == {"a", "b", "bc"}
    assert sentences(["a(n) {x} {y:.1f} [end|end]."], {"x": "[odd|odd]", "y": 2.345}, rng) == ["An odd 2.3 end."]
    assert sentences(["it is -{zero:.0f} , and {t:.0f} °C ."], {"zero": 0, "t": -0.2}, rng) == ["It is 0, and 0 °C."]


def test_a_sentence_without_its_fact_is_left_out():
    rng = random.Random(0)
    assert sentences(["{missing}.", "here."], {}, rng, 2) == ["Here."]
    account = Account(story=("it rained.",), figures=("{mm} mm.",), asides=())
    for seed in range(20):
        text = report(account, Frame((), (), ()), {}, {}, random.Random(seed))
        assert text == "It rained."
