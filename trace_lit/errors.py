"""The base of all errors that the person at the keyboard can mend."""


class InputError(ValueError):
    """Something that was given cannot be used; the message says what, what is allowed, and what to do."""


class TrainingError(InputError):
    """Training cannot go on."""
