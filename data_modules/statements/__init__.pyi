from .statements import KINDS, Bank, Statement, Statements

__all__ = ["KINDS", "Bank", "Statement", "Statements"]
