from .inference.evaluate import evaluate
from .inference.load import load
from .runs.compare import compare
from .service.client import Client
from .settings import load_config
from .train.fit import fit

STARTED: tuple[int, int]
__version__: str

__all__ = ["Client", "compare", "evaluate", "fit", "load", "load_config"]
