from .app import create_app
from .client import Client
from .limits import Limits
from .report import write_report
from .served import Served
from .server import serve

__all__ = ["Client", "Limits", "Served", "create_app", "serve", "write_report"]
