from .compare import compare_runs
from .data import build_datamodule, load_datamodule, open_data
from .folder import read_metrics, run_folder, write_metrics

__all__ = [
    "build_datamodule",
    "compare_runs",
    "load_datamodule",
    "open_data",
    "read_metrics",
    "run_folder",
    "write_metrics",
]
