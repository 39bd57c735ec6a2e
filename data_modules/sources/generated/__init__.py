"""Simulated corpora of the three domains and of random channels, for the demo, tests and the universal model.

Each function gives the corpus's description and its records, the same ones for the same seed. The windows of a series
(a weather station, a hospital bed, a grid zone) do not overlap and come in order of time, and every type of event comes
again and again, so that a split by time has all labels in each part. No claim rests on them. `varied` has neither texts
nor labels.
"""

from data_modules.sources.generated.energy import energy
from data_modules.sources.generated.healthcare import healthcare
from data_modules.sources.generated.varied import varied
from data_modules.sources.generated.weather import weather

__all__ = ["energy", "healthcare", "varied", "weather"]
