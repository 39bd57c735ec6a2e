"""Fixtures of other tests that the readers are fed with."""

from tests.modules.test_checkpoint import content

__all__ = ["content"]
