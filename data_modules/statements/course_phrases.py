"""The phrases of what was so at first and what later, of extremes that are far out themselves, and of ups and downs."""

from __future__ import annotations

from data_modules.statements.phrases import Modes

_FIRST = """(at first|early on|to begin with|initially|at the start|in the first half|for the first half|in the early
    <steps>|to start with)"""
_LATER = """(later|later on|afterwards|after that|in the second half|towards the end|in the end|by the end
    |in the late <steps>|for the rest)"""
_BEFORE_NOON = """(until noon|before noon|up to noon|until midday|before midday|in the first twelve hours
    |for the first twelve hours|till noon|in the morning hours)"""
_AFTER_NOON = "(after noon|after midday|from noon on|after|afterwards|after that|in the last twelve hours|from then on)"


def _then(first: str, later: str) -> Modes:
    """One level and then the other, at these times."""
    return {
        "noun": (
            *(f"<low> <n> {first}, <grad> <n> {later}", f"<n> <low> {first} and <grad> {later}"),
            *(f"<noun_other> {first}, <noun> {later}", f"<noun_other> {first} and then <noun>"),
            *(f"<noun_other> {first}, then <noun>", f"<noun_other> {first} [and|but] <noun> {later}"),
            *("<noun_other> first, then <noun>", "<noun_other> giving way to <noun>", "<noun> after <noun_other>"),
        ),
        "clause": (
            *(f"<s> <be> <low> {first} and <grad> {later}", f"{first} <s> <be> <low>, {later} <grad>"),
            *(f"it <be1> <A_other> {first} and <A> {later}", f"it <be1> <A_other> {first}, [and] then <A>"),
            *(f"it <be1> <A_other> {first} but <A> {later}", f"it <stay1> <A_other> {first}, then it <turn1> <A>"),
            *(f"{first} it <be1> <A_other>, {later} <A>", f"it <be1> <A> {later} after <noun_other> {first}"),
            "the <period> <begin1> <A_other> and <end1> <A>",
            *(f"<go_clause> after <noun_other> {first}", f"it <be1> <A_other> {first}, then <go_clause>"),
        ),
        "adjective": (f"<A_other> {first}, <A> {later}", f"<A_other> {first} and <A> {later}"),
        "short": (
            *(f"<A_other> {first}, <A> {later}", f"<A_other> {first}, then <A>", f"<n> <low> {first}, <grad> {later}"),
            *("<A_other> first half, <A> second half", "first <A_other>, then <A>", "<A_other>, then <A>"),
            *(f"<low> <n> {first}, then <grad>", f"<A> {later}, <A_other> {first}", "<noun_other>, then <noun>"),
            "a <A_other> first half and a <A> second [half]",
        ),
        "whole": (
            f"when was it <A_other> {first} and <A> {later}?",
            f"when was <s> <low> {first} and <grad> {later}?",
            "<periods> with a <A_other> first half and a <A> second [half]",
            "<periods> that began <A_other> and ended <A>",
        ),
    }


COURSE_FORMS: dict[str, Modes] = {
    "then": _then(_FIRST, _LATER),
    "then at noon": _then(_BEFORE_NOON, _AFTER_NOON),
    "least": {
        "noun": (
            *("a <grad> <trough> of <s>", "a <grad> <minmax_> <n>", "<n> with a <grad> <trough>"),
            *("<n> <grad> even at <its> <lowest>", "<n> that <be1> <grad> even at <its> <lowest>"),
        ),
        "clause": (
            *("even the <lowest> <n> <be1> <grad>", "even at <its> <lowest>, <s> <be> [still] <grad>"),
            *("the <minmax_> of <s> <be1> <grad>", "<s> <be> <grad> even at <its> <lowest>"),
            *("it <be1> <A> even at its <most_other>", "even at its <most_other> it <be1> [still] <A>"),
            *("it <be1> still <A> when it <be1> <most_other>", "even the <most_other> of the <steps> <be1> <A>"),
            *("<s> <stay> <grad> at all (times|<steps>)", "even the <lowest> value of <s> <be1> <grad>"),
            "it <be1> never anything but <A>",
        ),
        "adjective": ("<A> even at its <most_other>", "still <A> at its <most_other>"),
        "short": (
            *(
                "<A> even at its <most_other>",
                "<grad> <minmax_> <n>",
                "<minmax_> <n> <grad>",
                "<n> <grad> even at worst",
            ),
            *("<A> at its <most_other>", "<grad> <lowest> <n>", "a <grad> <trough> of <s>"),
        ),
        "whole": (
            *("<periods> with the <highest> <minmax_> <n>", "<periods> whose <lowest> <n> <be1> <grad>"),
            *("<periods> whose <lowest> <n> <be1> the <highest>", "when was even the <lowest> <n> <grad>?"),
            "(find|list|rank|show|pick) the <periods> (with|by) the <highest> <minmax_> <n>",
        ),
    },
    "up and down": {
        "noun": (
            *("<n> (varying|changing) [a lot] (without|with no|but with no) [real|clear|overall] trend", "fitful <n>"),
            *("<n> up and down without getting anywhere", "<n> coming and going", "ups and downs of <s>"),
            *("ups and downs in <s> that (even|level|cancel) out", "variable <n> without a trend", "on-and-off <n>"),
        ),
        "clause": (
            *(
                "<s> <go> up and down and <end> where <it_> <begin>",
                "<s> <come> and <go>",
                "<s> <vary> without a trend",
            ),
            *("<s> <vary> a lot but <show> no trend", "<s> <be> up and down (<throughout>|all over)"),
            *("<s> <be> <A_high> at times and <A_low> at others", "it <be1> <A_high> at times, <A_low> at others"),
            *("<s> <be> high in some <steps> and low in others", "<s> <swing> back and forth", "<s> <be> fitful"),
        ),
        "short": (
            *("<n> up and down", "up-and-down <n>", "fitful <n>", "<n> high in some <steps>, low in others"),
            *("<n> varying, no trend", "now <A_high>, now <A_low>", "<A_high> at times, <A_low> at times"),
        ),
        "whole": ("when did <s> go up and down without a trend?", "where did <s> come and go?"),
    },
    "never direction": {
        "noun": (
            *("no <erly> <w> (at all|at any time|at any point|ever)", "no <w> [at all] from the <dir> at any time"),
            *("not a single <er>", "<w> that never <come1> from the <dir>", "<w> with nothing <erly> in it"),
        ),
        "clause": (
            *(
                "the <w1> never <blow1> from the <dir>",
                "the <w1> never <come1> from the <dir>",
                "it never <blow1> from the <dir>",
            ),
            *("the <w1> <be1> never <erly>", "at no time <be1> the <w1> <erly>", "no <erly> <w> <blow1> at any time"),
            *("the <w1> never <turn1> <erly>", "not once <be1> the <w1> <erly>", "there <be1> never any <erly> <w>"),
            *("the <w1> never <have1> any <dir> in it", "the <w1> never <come1> from the <erly> side"),
        ),
        "short": (
            *("never <erly>", "never a <er>", "not once <erly>", "no <erly> <w> at any time", "never any <erly> <w>"),
            *("not a <w1> with any <dir> in it", "at no time <erly>"),
        ),
        "whole": (
            *("<periods> without any <erly> <w> at all", "when did the <w1> never come from the <dir>?"),
            *("<periods> when it never blew from the <dir>", "<periods> with not a single <er>"),
        ),
    },
}
