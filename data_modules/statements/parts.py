"""The words of parts of windows, days and years, of durations, and of the points of the compass."""

from __future__ import annotations

_COUNTS = {2: "two", 3: "three", 4: "four", 6: "six", 8: "eight", 12: "twelve", 18: "eighteen"}


def _clock(start: int, end: int) -> str:
    twelve = {0: "midnight", 12: "noon", 24: "midnight"}
    short = [twelve.get(hour, f"{(hour - 1) % 12 + 1} {'am' if hour < 12 else 'pm'}") for hour in (start, end)]
    return (
        f"""(between {start} and {end} UTC|between {start:02}:00 and {end:02}:00 [UTC]|from {start} to {end} UTC
            |{start:02}-{end:02} UTC"""
        f"|between {short[0]} and {short[1]} [UTC]|from {short[0]} to {short[1]})"
    )


PARTS = {  # of the window or the day, and how long something lasts
    "first half": """(in the first half|during the first half|early on|earlier on|in the first part
        |in the opening half
        |at first)""",
    "second half": """(in the second half|during the second half|later on|in the latter half|in the second part|later
        |in the closing half)""",
    "start": """(at the start|at the beginning|initially|at the very start|early in the <period>
        |in the first quarter|at the outset|right at the beginning|in the first hours|when the <period> (began|started)
        |right at the start|in the opening quarter|during the first quarter|at the very beginning|in the beginning
        |to begin with|to start [with]|near the (start|beginning))""",
    "end": """(at the end|towards the end|near the end|at the very end|at the end of the <period>
        |in the last quarter|in the final quarter|at the close of the <period>|in the (last|closing|final) hours
        |right at the end|by the end|as the <period> ended|during the last quarter|at the finish)""",
    "middle": """(in the middle|halfway through|midway|around the middle|in the middle of the <period>
        |mid-way through|at the midpoint)""",
    "second quarter": """(in the second quarter|during the second quarter|(just|shortly) before (the middle|half-time)
        |between a quarter of the way and half-way)""",
    "third quarter": """(in the third quarter|during the third quarter|(just|shortly) after (the middle|half-time)
        |between half-way and three quarters of the way)""",
    "first third": """(in the first third|during the first third|over the first third|in the opening third
        |in the beginning|at the (start|beginning)|early [on])""",
    "middle third": """(in the middle third|during the middle third|over the middle third|in the second third
        |in the middle|(midway|halfway) [through]|in the (middle|centre) of the <period>)""",
    "last third": """(in the last third|during the final third|over the last third|in the closing third
        |(at|near|towards|toward) the end|late [on]|in the end)""",
    **{
        f"first {n} hours": f"""(in the first ({n}|{word}) hours|during the first {word} hours
            |within the first {word} hours|over the opening {word} hours)"""
        for n, word in _COUNTS.items()
    },
    **{
        f"last {n} hours": f"""(in the last ({n}|{word}) hours|during the final {word} hours
            |over the last {word} hours|in the closing {word} hours)"""
        for n, word in _COUNTS.items()
    },
    "night": """(at night|during the night|in the night|in the small hours|in the early hours|overnight
        |by night|after midnight
        |between midnight and 6 am|between 0 and 6 UTC|from midnight to six|in the wee hours
        |in the dead of night|between 00:00 and 06:00)""",
    "morning": """(in the morning|during the morning|before noon|in the morning hours|between 6 and 12 UTC
        |from 6 am to noon|this side of noon
        |between six and noon|through the morning|between 06:00 and 12:00|in the forenoon|before lunch)""",
    "afternoon": """(in the afternoon|during the afternoon|after noon|in the afternoon hours
        |between 12 and 18 UTC|from noon to 6 pm
        |between noon and six|through the afternoon|between 12:00 and 18:00|after lunch|between noon and 18 UTC)""",
    "evening": """(in the evening|during the evening|in the evening hours|late in the day
        |between 18 and 24 UTC|from 6 pm to midnight
        |between six and midnight|through the evening|between 18:00 and 24:00|after 18 UTC|after 6 pm
        |before midnight)""",
    "before noon": "(before noon|before midday|up to noon|before 12 UTC|in the first half of the day|until noon)",
    "after noon": "(after noon|from noon on|after midday|after 12 UTC|in the second half of the day|past noon)",
    "midday": "(around midday|around noon|at noon|at midday|at lunchtime|in the middle of the day)",
    "daytime": """(in the daytime|by day|between 6 and 18 UTC|from six in the morning to six in the evening
        |during daytime hours|between 6 am and 6 pm)""",
    "early morning": """(early in the morning|in the early morning|between 6 and 9 UTC|at breakfast time
        |between six and nine in the morning|first thing in the morning)""",
    "late evening": """(late in the evening|in the late evening|between 21 and 24 UTC|before midnight|late at night
        |in the last hours before midnight)""",
    "early hours": """(just after midnight|in the first hours after midnight|between 0 and 3 UTC
        |shortly after midnight
        |between midnight and three)""",
    **{f"clock {start} {start + 3}": _clock(start, start + 3) for start in range(0, 24, 3)},
    "quarter": """(for more than a quarter of the <period>|more than a quarter of the time
        |for over a quarter of the <period>)""",
    "half": """(for more than half of the <period>|more than half of the time|over half the time
        |most of the <period>|for most of the <period>
        |for the better part of the <period>|more often than not|for the greater part of the <period>
        |for the bulk of the <period>)""",
    "three quarters": """(for more than three quarters of the <period>|over three quarters of the time
        |for over three-quarters of the <period>
        |for the vast majority of the <period>|nearly all the time|almost all of the <period>)""",
    "briefly": """(briefly|only briefly|for a short while|for a short time|for a little while
        |only for a short time|for a small part of the <period>
        |just for a moment|only fleetingly|for a bit)""",
    **{
        f"{n} hours": f"""(for more than ({n}|{word}) hours|for over {word} hours|more than {word} hours in all
            |for upwards of {word} hours)"""
        for n, word in _COUNTS.items()
    },
}
SHORT_PARTS = {  # of the day, as they are compared
    "night": "(at night|in the night|in the small hours|overnight)",
    "morning": "(in the morning|in the morning hours|before noon)",
    "afternoon": "(in the afternoon|after noon)",
    "evening": "(in the evening|in the evening hours)",
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


_POINTS = {
    "north": "N",
    "northeast": "NE",
    "east": "E",
    "southeast": "SE",
    "south": "S",
    "southwest": "SW",
    "west": "W",
    "northwest": "NW",
}


def _compass() -> dict[str, tuple[str, ...]]:
    """Of each point of the compass the noun, the adjective, and the wind and the winds that are named after it."""
    found: dict[str, tuple[str, ...]] = {}
    for name, short in _POINTS.items():
        if len(short) == 1:
            found[name] = (
                f"({name}|{name}|{short})",
                f"({name}erly|{name}erly|{name}|{name}ern)",
                f"({name}erly|{name} wind|{name}erly)",
                f"({name}erlies|{name} winds)",
            )
        else:
            dashed = f"{name[:5]}-{name[5:]}"
            found[name] = (
                f"({name}|{dashed}|{short}|{dashed})",
                f"({name}erly|{dashed}erly|{name}|{short}|{dashed})",
                f"({dashed}er|{name}erly|{dashed}erly|{name} wind|{short} wind|{name}er)",
                f"({name}erlies|{dashed}erlies|{short} winds)",
            )
    for first, second in (
        *(("north", "northeast"), ("east", "northeast"), ("east", "southeast"), ("south", "southeast")),
        *(("south", "southwest"), ("west", "southwest"), ("west", "northwest"), ("north", "northwest")),
    ):
        short, dashed = _POINTS[first] + _POINTS[second], f"{first}-{second}"
        long = f"{first}-{second[:5]}-{second[5:]}"
        found[dashed] = (
            f"({dashed}|{short}|{long}|{short})",
            f"({dashed}erly|{long}erly|{short})",
            f"({dashed}erly|{short} wind)",
            f"({dashed}erlies|{short} winds)",
        )
    return found


COMPASS = _compass()
