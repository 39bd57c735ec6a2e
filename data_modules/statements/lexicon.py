"""Everyday words by physical quantity, and how a channel's quantity is recognised by its name, unit and description.

The words of a quantity stand for a channel only where no other channel of the corpus is of that quantity; else "an
outbreak" could mean influenza or pneumonia.
"""

from __future__ import annotations

import re

from data_modules.statements.lexicon_energy import PRICES, TRADE
from data_modules.statements.lexicon_health import EPIDEMICS, PATIENTS
from data_modules.statements.lexicon_weather import WEATHER
from data_modules.statements.quantities import Quantity
from trace_lit.channels import Channel

QUANTITIES: tuple[Quantity, ...] = (*PATIENTS, *WEATHER, *EPIDEMICS, *TRADE, *PRICES)  # the first that fits counts


def quantity(channel: Channel) -> Quantity | None:
    """The quantity whose pattern the name matches, and the unit where there is one; None where no word is known."""
    name = channel.name.lower().strip()
    for known in QUANTITIES:
        if re.search(known.name, name) and (not known.unit or re.search(known.unit, channel.unit, re.IGNORECASE)):
            return known
    return None
