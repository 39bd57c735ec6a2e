"""A run in TensorBoard: curves in the order in which people look at them, and what its HParams page compares runs by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from torch.utils.tensorboard.summary import hparams

from trace_lit.config import flatten
from trace_lit.settings import Config, to_dict

# The first group of the Scalars page. HParams shows the first five scalars by name, which are these.
MAIN = {
    "train/loss": "main/loss/train",
    "validation/loss": "main/loss/validation",
    **{
        f"validation/{name}": f"main/{name}"
        for name in (
            "text_to_series/pair/MRR",
            "text_to_series/label/P@1",
            "series_to_text/pair/MRR",
            "MAE",
            "MSE",
            "accuracy",
            "macro_F1",
        )
    },
}
FORMER = "train/loss"
# Settings that say where and how a run was made, not what it is.
_PLACES = (
    ("run.", "trainer.log_", "trainer.checkpoint_", "trainer.threads"),
    ("data.cache_dir", "data.root", "data.num_workers", "text.cache_dir", "text.device", "text.batch_size"),
    ("evaluation.batch_size", "evaluation.bootstrap", "stage", "seed"),
)
_SECTIONS = {
    "pretrain": ("pretrain",),
    "align": ("pretrain", "alignment", "mining"),
    "tune": ("tune", "window", "head", "rag"),
}


class RunPages(TensorBoardLogger):
    """TensorBoard's files of a run, in the run's folder."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write a point of each curve; the number of the epoch is none of them.

        The loss of training keeps its former name beside the new one: scripts, and runs of before, have it.
        """
        curves = {tag(name): value for name, value in metrics.items() if name != "epoch"}
        if FORMER in metrics:
            curves[FORMER] = metrics[FORMER]
        super().log_metrics(curves, step)

    @rank_zero_only
    def save(self) -> None:
        """Write what is buffered, and no hparams.yaml: the run's config.yaml has all of it."""
        self.experiment.flush()

    def log_session(self, settings: Mapping[str, str | float]) -> None:
        """Write what the HParams page shows of the run, beside its curves; see `session_settings`.

        The page's columns and which of them differ are found by TensorBoard in all runs together; a description of the
        columns by one of the runs would hide what others have.
        """
        _, start, end = hparams(dict(settings), {})
        writer = self.experiment._get_file_writer()
        for summary in (start, end):
            writer.add_summary(summary)
        self.save()


def tag(name: str) -> str:
    """The name of a metric's curve: the main ones first, then those of validation, then those of training."""
    if name in MAIN:
        return MAIN[name]
    if name.startswith("validation/"):
        return name.replace("validation/", "metrics/", 1)
    return f"train/learning_rate/{name.partition('/')[2] or 'all'}" if name.startswith("lr-") else name


def session_settings(config: Config, domain: str) -> dict[str, str | float]:
    """What runs of all stages are compared by; booleans as words, paths by their ends.

    TensorBoard sorts the columns that differ by name and shows the first five, so those that name a run begin with a
    capital.
    """
    others = {section for stage, own in _SECTIONS.items() for section in own} - set(_SECTIONS[config.stage])
    left_out = tuple(start for starts in _PLACES for start in starts) + tuple(f"{section}." for section in others)
    settings = {key: value for key, value in flatten(to_dict(config)).items() if not key.startswith(left_out)}
    named = {"Domain": domain, "Name": config.run.name, "Seed": config.seed, "Stage": config.stage}
    return {key: _cell(value) for key, value in (named | settings).items()}


def _cell(value: Any) -> str | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, list):
        return ", ".join(str(_cell(own)) for own in value) or "none"
    if isinstance(value, str) and value.count("/") > 2:
        return "/".join(value.rstrip("/").split("/")[-3:])
    return "none" if value is None else str(value)
