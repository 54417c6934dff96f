"""Whole numbers as requests write them: ASCII digits within a bound, nothing else."""

MAX_POSITION = 2**63 - 1
"""The last position that the log can have: PostgreSQL's bigint."""
MAX_DIGITS = 19


def whole_number(text: str, at_most: int = MAX_POSITION) -> int | None:
    """The number from 0 to `at_most` that the text is; None for any other text.

    `int()` takes other scripts' digits, signs, spaces and underscores, and raises for a text of
    more than 4,300 digits.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        return None
    number = int(text)
    return number if number <= at_most else None
