"""True statements in words about windows, made from their values alone, for any corpus and any channels.

`Statements.of(corpus, rows)` draws them; each has the rule that decides for which other windows it is true.
"""

from data_modules.statements.statements import KINDS, Bank, Statement, Statements

__all__ = ["KINDS", "Bank", "Statement", "Statements"]
