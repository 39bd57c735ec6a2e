"""The two checkpoints of a run: the best one, and the last one, from which a run goes on exactly where it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.distributed as dist
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from callbacks.stopping import Stopped, StopSignals
from trace_lit.distributed import rank, world_size


class BestCheckpoint(ModelCheckpoint):
    """`best.ckpt` in `folder`: that of the validation with the best `monitor`; mode is "min" or "max"."""

    def __init__(self, folder: Path, monitor: str, mode: str) -> None:
        super().__init__(
            folder,
            filename="best",
            monitor=monitor,
            mode=mode,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        # The run may have been moved, its best checkpoint may be gone, or this is another run that starts from its state.
        best = Path(self.format_checkpoint_name({}))
        if not state_dict["best_model_path"] or not best.is_file():
            return
        score = self.current_score = state_dict["best_model_score"]
        here = {"dirpath": self.dirpath, "best_model_path": str(best), "kth_best_model_path": str(best)}
        super().load_state_dict(state_dict | here | {"best_k_models": {str(best): score}})


class LastCheckpoint(Checkpoint):
    """Keeps `path` up to date: at every epoch's end, and within an epoch every so many steps or minutes.

    A run that goes on from it, or from any other checkpoint of a run with this callback, makes the same steps in the
    same order as if it had not been stopped, and logs them at the same places. Where `signals` has received one, the
    state is saved before the next step, or before a validation, and training ends with `Stopped` on all processes.

    Parameters
    ----------
    every_n_steps, every_n_minutes
        None: not for that reason.
    """

    def __init__(
        self, path: Path, signals: StopSignals, every_n_steps: int | None = None, every_n_minutes: float | None = None
    ) -> None:
        self.path = path
        self.signals = signals
        self.every_n_steps = every_n_steps
        self.every_n_minutes = every_n_minutes
        self.validation: dict[str, float] = {}  # the metrics of the last one
        self._validates_next = False
        self._step = 0  # of what `path` holds
        self._time = 0.0
        self._group: Any = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._step, self._time = trainer.global_step, time.monotonic()
        if world_size() > 1:  # of its own, on the CPU, so that no accelerator waits
            self._group = dist.new_group(backend="gloo")

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx % trainer.accumulate_grad_batches:  # gradients of a step that is not done are not saved
            return
        # Here, and not when the step before ends: its metrics have been logged by now.
        due, stop = self._agreed(trainer)
        if (due or stop) and trainer.global_step > self._step:
            self._save(trainer)
        if stop:
            self._stop(stop)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        _, stop = self._agreed(trainer)
        if stop:
            self._validates_next = True
            self._save(trainer)
            self._stop(stop)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        metrics = trainer.callback_metrics.items()
        self.validation = {name: float(value) for name, value in metrics if name.startswith("validation/")}

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._save(trainer)

    def _agreed(self, trainer: L.Trainer) -> tuple[bool, int]:
        """Whether it is time to save, and the signal to stop by or 0; the same on all processes."""
        minutes = (time.monotonic() - self._time) / 60
        late = self.every_n_minutes is not None and minutes >= self.every_n_minutes
        stop = self.signals.received
        if self._group is not None:
            votes = torch.tensor([late and rank() == 0, stop])
            dist.all_reduce(votes, dist.ReduceOp.MAX, group=self._group)
            late, stop = bool(votes[0]), int(votes[1])
        return late or (self.every_n_steps is not None and trainer.global_step % self.every_n_steps == 0), stop

    def _save(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(self.path)
        self._step, self._time = trainer.global_step, time.monotonic()

    def _stop(self, number: int) -> None:
        raise Stopped(number, self.path if self.path.is_file() else None)

    def state_dict(self) -> dict[str, Any]:
        return {"validation": self.validation}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.validation = state_dict["validation"]

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Tell Lightning's loops that nothing is half done, which is what they resume from without a miscount."""
        loops = checkpoint["loops"]["fit_loop"]
        steps, validation = loops["epoch_loop.batch_progress"], loops["epoch_loop.val_loop.batch_progress"]
        for count in (steps["total"], steps["current"], validation["total"], validation["current"]):
            count["ready"] = count["started"] = count["completed"] = count["processed"]
        steps["is_last_batch"] = steps["current"]["processed"] >= trainer.num_training_batches
        if self._validates_next:  # a validation that was begun is run anew
            validation["total"] = {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            validation["current"] = {"ready": 0, "started": 0, "processed": 0, "completed": 0}
