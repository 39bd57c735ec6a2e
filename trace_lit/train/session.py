"""One session of training a run, to its end or until a signal stops it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import TypeVar

import lightning as L
from lightning.pytorch.utilities.exceptions import SIGTERMException

from callbacks import BestCheckpoint, HardNegativeMining, LastCheckpoint, Stopped, StopSignals, Throughput
from data_modules import DomainDataModule
from trace_lit.distributed import is_first
from trace_lit.errors import InputError
from trace_lit.escapes import say
from trace_lit.inference.predict import log_forecasts
from trace_lit.modules import AlignModule, Checkpoint, TrainingError, TuneModule
from trace_lit.modules.stage import StageModule
from trace_lit.runs.data import run_domain
from trace_lit.runs.folder import read_metrics, write_metrics
from trace_lit.settings import Config
from trace_lit.tensorboard import tensorboard_writer
from trace_lit.train.announce import log_hyperparameters
from trace_lit.train.loggers import build_loggers
from trace_lit.train.processes import end_followers, is_follower
from trace_lit.train.statements import learn_statements
from trace_lit.train.trainer import LAST
from trace_lit.tuning.closed_form import solve_head
from trace_lit.tuning.combine import solve_members
from trace_lit.tuning.combine_labels import solve_label_members

Kind = TypeVar("Kind")


@dataclass
class Session:
    """What a session of training needs."""

    config: Config
    folder: Path
    data: DomainDataModule
    module: StageModule
    trainer: L.Trainer

    def train(self, checkpoint: Checkpoint | None) -> dict[str, float]:
        """Train from the start, or on from `checkpoint`; the run's metrics, empty where no epoch was left."""
        config, module, trainer = self.config, self.module, self.trainer
        trainer.loggers = build_loggers(config, self.folder, None if checkpoint is None else self._logged(checkpoint))
        if not isinstance(module, TuneModule) or module.has_encoder:
            module.encoder.recompute_layers(config.trainer.recompute)
            if config.trainer.compile:
                module.encoder.compile_layers()
        try:
            solves = config.head.solver != "sgd" and checkpoint is None
            if isinstance(module, TuneModule) and module.has_head and solves:
                members = solve_label_members if config.tune.task == "classify" else solve_members
                solve = members if config.head.solver == "combination" else solve_head
                module.note_solution(solve(module, self.data, trainer.strategy.root_device))
            learns_statements = config.alignment.statement_steps and checkpoint is None
            if isinstance(module, AlignModule) and learns_statements and (is_first() or not module.learns_by_steps):
                # The other processes take the weights of the first one, as all do when they begin to train together;
                # where nothing is left to train, each takes the same steps.
                module.note_costs(learn_statements(module, self.data, trainer.strategy.root_device))
            if not module.learns_by_steps:
                return self._finish(self._keep())
            return self._learn(checkpoint)
        except Stopped as stopped:
            if trainer.is_global_zero:
                say(stopped, flush=True)
            raise _leave(trainer, stopped.signal) from None
        except SIGTERMException:  # before training had begun
            raise _leave(trainer, signal.SIGTERM) from None
        except SystemExit:  # what Lightning makes of a KeyboardInterrupt
            raise KeyboardInterrupt from None
        except Exception as error:
            if failure := end_followers(trainer):
                raise TrainingError(failure) from error
            hidden = error.__context__
            if isinstance(hidden, InputError) and _is_of_teardown(error):
                raise hidden from error
            if isinstance(error, OSError) and error.errno is not None and error.filename is None:  # a full disk
                raise OSError(error.errno, error.strerror, str(self.folder)) from error
            raise

    def _logged(self, checkpoint: Checkpoint) -> int:
        """The step from which on curves are dropped: what a run that has ended drew of its last step stays."""
        ended = read_metrics(self.folder).get("fit/epochs") == checkpoint.epochs
        return checkpoint.step + ended

    def _learn(self, checkpoint: Checkpoint | None) -> dict[str, float]:
        """Gradient steps."""
        trainer, path = self.trainer, None if checkpoint is None else checkpoint.path
        trainer.fit(self.module, datamodule=self.data, ckpt_path=path, weights_only=True)
        metrics = self._outcome()
        before = read_metrics(self.folder).get("fit/epochs")
        if checkpoint is not None and (trainer.global_step, before) == (checkpoint.step, metrics["fit/epochs"]):
            if trainer.is_global_zero:
                say(f"done: {self.folder}, there was no epoch left to train")
            return {}
        metrics = self._finish(metrics)
        if number := _callback(trainer, StopSignals).received:  # since the last step
            raise Stopped(number, self.folder / LAST)
        return metrics

    def _keep(self) -> dict[str, float]:
        """Validate and save a module that needs no gradient steps; its metrics."""
        trainer = self.trainer
        if (
            isinstance(self.module, TuneModule) and self.config.head.refit
        ):  # scores on what was learned from would mislead
            trainer.limit_val_batches = 0
        trainer.validate(self.module, datamodule=self.data, verbose=False)
        for name in ("best", "last"):
            trainer.save_checkpoint((self.folder / LAST).with_stem(name))
        last = {name.split("/dataloader_idx")[0]: float(value) for name, value in trainer.callback_metrics.items()}
        return {"fit/epochs": 0.0, **self._costs(), **{f"last/{name}": value for name, value in last.items()}}

    def _finish(self, metrics: dict[str, float]) -> dict[str, float]:
        """Write and print the run's metrics."""
        trainer, config, data, module = self.trainer, self.config, self.data, self.module
        if trainer.is_global_zero:
            writer = tensorboard_writer(trainer.loggers)
            if isinstance(module, TuneModule) and config.tune.task == "forecast" and writer is not None:
                log_forecasts(module, data, writer, trainer.global_step)
                writer.flush()
            # Metrics say that the run has ended, so they come last: what is drawn before is drawn again after a kill.
            write_metrics(self.folder, {"run/data_fingerprint": data.data_fingerprint, **metrics})
            log_hyperparameters(trainer, config, run_domain([corpus.path for corpus in data.corpora]))
            say(f"done: {self.folder}")
            if metrics.get("cv/penalties_at_limit"):
                say("  a penalty is at the limit of its search: the features it is for do not help the forecast")
            for name, value in metrics.items():
                if name.startswith("cv/penalty/"):  # one a member and third of the horizon
                    continue
                if name.startswith(("fit/", "best/", "cv/")) or (config.stage == "tune" and name.startswith("last/")):
                    say(f"  {name} {value:.4g}")
        return metrics

    def _costs(self) -> dict[str, float]:
        """Seconds and parameters; with a head in closed form, how it was chosen."""
        solved = self.module.solution if isinstance(self.module, TuneModule) else {}
        total, trained = self.module.parameter_counts()
        return {
            "fit/seconds": _callback(self.trainer, Throughput).elapsed
            + solved.get("fit/solve_seconds", 0.0)
            + self.module.costs.get("fit/statement_seconds", 0.0),
            "fit/parameters": float(total),
            "fit/trained_parameters": float(trained),
            **self.module.costs,
            **solved,
        }

    def _outcome(self) -> dict[str, float]:
        """The metrics of a run, over all its sessions."""
        trainer = self.trainer
        chooser, throughput = _callback(trainer, BestCheckpoint), _callback(trainer, Throughput)
        best, last = chooser.best_model_score, _callback(trainer, LastCheckpoint).validation
        miners = [callback for callback in trainer.callbacks if isinstance(callback, HardNegativeMining)]  # type: ignore[attr-defined]
        return {
            "fit/epochs": float(trainer.current_epoch),
            "fit/samples_per_second": throughput.samples_per_second,
            **self._costs(),
            f"best/{chooser.monitor}": float("nan") if best is None else float(best),
            **{f"last/{name}": value for name, value in sorted(last.items())},
            **{f"fit/mining_{name}": value for miner in miners for name, value in miner.cost.items()},
        }


def _is_of_teardown(error: Exception) -> bool:
    """Whether Lightning's teardown failed, as it may after what was given could not be used."""
    codes = [(frame.f_globals.get("__name__"), frame.f_code.co_name) for frame, _ in walk_tb(error.__traceback__)]
    return (L.Trainer.__module__, "_teardown") in codes


def _leave(trainer: L.Trainer, number: signal.Signals) -> BaseException:
    """What ends the process after a signal, with its exit code."""
    if is_follower(trainer):
        return SystemExit(0)  # by any other code, Lightning has the process that started this one killed
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(os.EX_TEMPFAIL)


def _callback(trainer: L.Trainer, kind: type[Kind]) -> Kind:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next(callback for callback in callbacks if isinstance(callback, kind))
