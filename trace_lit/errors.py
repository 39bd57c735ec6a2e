"""The base of all errors that the person at the keyboard can mend."""


class InputError(ValueError):
    """Something that was given cannot be used; the message says what, what is allowed, and what to do."""


class TrainingError(InputError):
    """Training cannot go on."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
