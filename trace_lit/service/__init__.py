"""A run as a service: HTTP routes, the page at `/`, and the client. The extra `serve` holds what it needs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
