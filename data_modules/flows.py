"""Winds and other flows, of which a corpus has the components u (to the east) and v (to the north)."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping

from trace_lit.channels import Channel

_AXES = {"u": "u", "eastward": "u", "zonal": "u", "v": "v", "northward": "v", "meridional": "v"}
_WORD = re.compile(r"[a-z]+(?:\.[a-z]+)*|\d+")
_HEIGHT = re.compile(r"\d+|m|metres?|meters?|component|of|the|at")


def component(channel: Channel) -> tuple[str, str] | None:
    """What a component is of and its axis, `u` or `v`: "wind u" is ("wind", "u"); None for another channel.

    >>> component(Channel("10m_u_component_of_wind", "m/s")), component(Channel("v10", "m/s"))
    (('wind', 'u'), ('flow', 'v'))
    """
    words = _WORD.findall(channel.name.lower())
    axes = [word for word in words if word in _AXES]
    if len(axes) != 1:
        return None
    what = [word for word in words if word != axes[0] and not _HEIGHT.fullmatch(word)]
    return " ".join(what) or "flow", _AXES[axes[0]]


def from_calm(usual: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Means and deviations by channel key, those of a flow's components from zero and in one deviation of both.

    A direction is then the same in every corpus, whichever is usual there. Done twice it changes nothing more.

    >>> from_calm({"wind u [m/s]": (3.0, 1.0), "wind v [m/s]": (0.0, 2.0), "humidity [%]": (60.0, 9.0)})
    {'wind u [m/s]': (0.0, 2.6457513110645907), 'wind v [m/s]': (0.0, 2.6457513110645907), 'humidity [%]': (60.0, 9.0)}
    """
    flows: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for key in usual:
        channel = Channel.of_key(key)
        if part := component(channel):
            what, axis = part
            flows[what, channel.unit].setdefault(axis, key)
    found = dict(usual)
    for keys in flows.values():
        squares = [mean * mean + deviation * deviation for mean, deviation in (usual[key] for key in keys.values())]
        length = math.sqrt(sum(squares) / 2)
        if len(keys) == 2 and length > 0:
            found.update(dict.fromkeys(keys.values(), (0.0, length)))
    return found
