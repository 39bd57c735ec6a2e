"""How well a question finds its channel among channels with names alike, by the universal model on generated windows.

    python experiments/names.py [--windows 240] [--seed 0]

Each of 16 families has six channels, all of one random process, so that nothing but its name tells a channel from the
others. Asked in nine forms about each channel, and in two about pairs: P@10, with names looked at word by word and by
vectors alone. A window fits where it is among the 15 % that have most of what is asked for; a random ranker gets 0.15.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import trace_lit
from trace_lit.alignment import SearchSpace
from trace_lit.channels import Channel
from trace_lit.inference import UniversalRun
from trace_lit.inference.inputs import as_batch, read_window
from trace_lit.retrieval.pool import embed_series
from trace_lit.retrieval.questions import precision_and_average
from trace_lit.text.channel_names import ChannelNames, Named

STEPS, FITS = 48, 0.15
FAMILIES = {
    "unrelated": "temperature [°C], humidity [%], wind speed [m/s], air pressure [hPa], rainfall [mm], visibility [km]",
    "vitals": "heart rate [bpm], respiratory rate [1/min], systolic blood pressure [mmHg], diastolic blood pressure [mmHg], "
    "body temperature [°C], oxygen saturation [%]",
    "plants": "solar generation [MW], wind generation [MW], gas generation [MW], hydro generation [MW], total demand [MW], "
    "net imports [MW]",
    "feeders": ", ".join(f"Feeder {letter} load [MW]" for letter in "ABCDEF"),
    "feeders with numbers": ", ".join(f"feeder {number} load [MW]" for number in range(1, 7)),
    "regions": ", ".join(
        f"{place} gasoline price [$/gallon]"
        for place in ("Midwest", "East Coast", "Gulf Coast", "Rocky Mountain", "West Coast", "New England")
    ),
    "pump": "pump inlet pressure [bar], pump outlet pressure [bar], pump motor current [A], pump motor temperature [°C], "
    "pump flow [l/min], pump vibration [mm/s]",
    "sites": ", ".join(
        f"NO2 at {place} [µg/m³]"
        for place in ("Main Street", "Station Square", "Harbour", "Airport", "University", "City Park")
    ),
    "rooms": ", ".join(
        f"{room} temperature [°C]" for room in ("kitchen", "bedroom", "attic", "cellar", "bathroom", "hall")
    ),
    "levels": ", ".join(
        f"water level at {place} [m]" for place in ("upper gauge", "lower gauge", "bridge", "weir", "lock", "harbour")
    ),
    "tags": "TI-101 [°C], TI-102 [°C], PI-201 [bar], PI-202 [bar], FI-301 [l/min], FI-302 [l/min]",
    "gases": "NO2 [µg/m³], O3 [µg/m³], PM2.5 [µg/m³], PM10 [µg/m³], CO [mg/m³], SO2 [µg/m³]",
    "columns": "pump_a_power [kW], pump_b_power [kW], pump_a_flow [l/s], pump_b_flow [l/s], tank_level [m], tank_temp [°C]",
    "phases": "voltage L1 [V], voltage L2 [V], voltage L3 [V], current L1 [A], current L2 [A], current L3 [A]",
    "beds": ", ".join(
        f"{what} bed {bed} [{unit}]" for what, unit in (("heart rate", "bpm"), ("SpO2", "%")) for bed in (1, 2, 3)
    ),
    "crops": ", ".join(
        f"{crop} {what}" for what in ("price [$/t]", "volume [lots]") for crop in ("wheat", "corn", "soybean")
    ),
}
FORMS = {
    "rise": ("{} rose", "the {} went up strongly", "when did the {} increase?"),
    "fall": ("{} fell", "a clear drop of the {}"),
    "high": ("{} was unusually high", "very high {}"),
    "low": ("low {}", "{} far below normal"),
}
PAIRS = (("{} rose while {} fell", "rise", "fall"), ("high {} but low {}", "high", "low"))


def statistics(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """How much of each of `FORMS` windows (N, C, T) have: (N, C)."""
    change, mean = values[..., -12:].mean(-1) - values[..., :12].mean(-1), values.mean(-1)
    return {"rise": change, "fall": -change, "high": mean, "low": -mean}


def precision(
    model: UniversalRun,
    space: SearchSpace,
    series: NDArray[np.float32],
    asked: Sequence[tuple[str, NDArray[np.float64]]],
) -> float:
    """The mean P@10 of texts with how much windows (N,) have of what each asks for."""
    scores = model.text_vectors([text for text, _ in asked], space) @ series.T
    truth = np.stack([have >= np.quantile(have, 1 - FITS) for _, have in asked])
    return float(precision_and_average(scores, truth)[0].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = trace_lit.load("universal")
    assert isinstance(model, UniversalRun)
    rows = []
    for family, keys in FAMILIES.items():
        rng = np.random.default_rng(options.seed)
        channels = [Channel.of_key(key) for key in keys.split(", ")]
        spoken = [channel.name.replace("_", " ") for channel in channels]
        level, slope, rough = rng.normal(size=(3, options.windows, len(channels), 1))
        noise = 0.35 * np.exp(0.7 * rough) * rng.normal(size=(options.windows, len(channels), STEPS))
        values = level + 0.8 * slope * np.linspace(-1, 1, STEPS) + noise
        space = model.space(channels, {channel.key: (0.0, 1.3) for channel in channels})
        windows = [read_window(window.astype(np.float32), channels) for window in values]
        batch = as_batch(windows, model.vocabulary, model.config.encoder.patch_length)
        series = embed_series(space, [batch], "cpu").numpy()
        own = statistics(values)
        single = [
            (form.format(name), own[kind][:, number])
            for number, name in enumerate(spoken)
            for kind, forms in FORMS.items()
            for form in forms
        ]
        pairs = []
        for form, one, other in PAIRS * 10:
            first, second = rng.choice(len(channels), 2, replace=False)
            both = np.minimum(*(have / have.std() for have in (own[one][:, first], own[other][:, second])))
            pairs.append((form.format(spoken[first], spoken[second]), both))
        row = [precision(model, space, series, asked) for asked in (single, pairs)]
        with patch.object(ChannelNames, "named", lambda names, text: Named(text, (True,) * len(names), False)):
            row += [precision(model, space, series, asked) for asked in (single, pairs)]
        rows.append(row)
        print(f"{family:22s}" + "".join(f"{value:8.3f}" for value in row), flush=True)
    print(f"{'mean':22s}" + "".join(f"{value:8.3f}" for value in np.mean(rows, axis=0)))
    print("one channel, two; then by vectors alone: one channel, two")


if __name__ == "__main__":
    main()
