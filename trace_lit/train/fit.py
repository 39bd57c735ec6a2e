"""From a configuration to a run: datamodule, module, callbacks and Trainer; and from a run back to a model."""

from __future__ import annotations

import logging
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, RichProgressBar, WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import Tensor

from callbacks import ProgressLines, RetrievalEvaluation, TensorBoardPages, Throughput
from data_modules import DomainDataModule
from trace_lit.config import Config, ConfigError, to_dict, to_yaml
from trace_lit.modules import AlignModule, Checkpoint, CheckpointError, PretrainModule, load_checkpoint
from trace_lit.modules.stage import StageModule
from trace_lit.text import CachedTextEncoder
from trace_lit.train.runs import build_datamodule, run_folder, write_atomically, write_metrics

LAST = "checkpoints/last.ckpt"
PAIR_MRR = "validation/text_to_series/pair/MRR"


def quiet_lightning() -> None:
    """Silence what Lightning says on the normal path; its errors and real warnings stay."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    # Batches are made by tensor indexing, so workers would only copy them; the rest is about our own settings.
    for message in (
        r".*does not have many workers.*",
        r".*The number of training batches .* is smaller than the logging interval.*",
        r".*Checkpoint directory .* exists and is not empty.*",
        r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
        r".*It is recommended to use `self.log\(.*sync_dist=True\)`.*",  # metrics are gathered before; losses are shares
    ):
        warnings.filterwarnings("ignore", message)


def load_start(config: Config) -> Checkpoint | None:
    """The checkpoint that `init_from` names.

    Raises
    ------
    CheckpointError
        It cannot be used, or its encoder or text encoder is another than the configured one.
    """
    if config.init_from is None:
        return None
    start = load_checkpoint(config.init_from, "pretrain" if config.stage == "pretrain" else None)
    there, here = to_dict(start.config), to_dict(config)
    fixed = [("encoder", key) for key in here["encoder"] if key != "dropout"]
    fixed += [("text", key) for key in ("name", "pooling", "query_prefix", "document_prefix", "max_length")]
    differing = [
        f"{section}.{key}={there[section][key]} there, {here[section][key]} here"
        for section, key in fixed
        if there[section][key] != here[section][key]
    ]
    if differing:
        raise CheckpointError(
            f"init_from={config.init_from}: its encoder differs: {', '.join(differing)}; use the same settings"
        )
    return start


def check_resumable(checkpoint: Checkpoint, config: Config, data: DomainDataModule) -> None:
    """Raise CheckpointError where the weights or the data of `checkpoint` are not those of the run that would go on."""
    there, here = to_dict(checkpoint.config), to_dict(config)
    differing = [
        f"{section}.{key}={there[section][key]} there, {here[section][key]} here"
        for section in ("encoder", "alignment", "text")
        for key in here[section]
        if there[section][key] != here[section][key] and key not in ("cache_dir", "device", "batch_size")
    ]
    if checkpoint.data_fingerprint != data.data_fingerprint:
        differing.append(f"data {checkpoint.data_fingerprint[:12]} there, {data.data_fingerprint[:12]} here")
    if differing:
        raise CheckpointError(
            f"{checkpoint.path} cannot go on with this configuration: {', '.join(differing)}; "
            "use the same, or start a new run with init_from"
        )


def build_module(config: Config, data: DomainDataModule, start: Checkpoint | None) -> StageModule:
    """The module of the configured stage, its encoder (or all of it) taken from `start` where there is one.

    Raises
    ------
    ConfigError
        Classification is asked for, and the corpora have no labels.
    """
    if config.alignment.classification_weight and config.stage == "align" and not data.label_names:
        raise ConfigError("alignment.classification_weight is set, but the corpora have no label_names; set it to 0")
    vocabulary = data.vocabulary if start is None else start.vocabulary
    module: StageModule
    if config.stage == "pretrain":
        module = PretrainModule(config, vocabulary, data.data_fingerprint)
    else:
        module = AlignModule(config, vocabulary, len(data.label_names), data.data_fingerprint)
    if start is not None:
        if start.stage == config.stage == "align":
            own = module.state_dict()  # heads of another number of labels start anew
            fitting = {name: w for name, w in start.weights.items() if name in own and own[name].shape == w.shape}
            module.load_state_dict(fitting, strict=False)
        else:
            module.encoder.load_state_dict(start.encoder_weights())
        module.encoder.extend(data.vocabulary)
    return module


def resolve_precision(config: Config) -> str:
    """`trainer.precision`, with auto as bf16-mixed on an accelerator that has it and 32-true elsewhere."""
    if config.trainer.precision != "auto":
        return config.trainer.precision
    on_gpu = config.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential moving average that forgets its beginning: after n updates it decays by (1 + n) / (10 + n) at most."""

    def average(mean: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        number = float(updates)
        return torch.lerp(mean, current, 1 - min(decay, (1 + number) / (10 + number)))

    return average


def build_trainer(config: Config, folder: Path, has_pairs: bool) -> L.Trainer:
    """The Trainer of a run that lives in `folder`; `has_pairs` tells that retrieval can choose the best checkpoint."""
    align = config.stage == "align"
    monitor, mode = (PAIR_MRR, "max") if align and has_pairs else ("validation/loss", "min")
    every = config.evaluation.every_n_epochs
    callbacks: list[L.Callback] = [Throughput(), LearningRateMonitor("step")]
    if align:  # before the weight averaging, which takes the averaged weights away again when validation ends
        evaluation = RetrievalEvaluation()
        callbacks += [evaluation, TensorBoardPages(evaluation)]
    if config.optim.ema_decay is not None:
        callbacks.append(WeightAveraging(use_buffers=False, avg_fn=moving_average(config.optim.ema_decay)))
    place = folder / "checkpoints"
    callbacks += [
        ModelCheckpoint(
            place,
            filename="best",
            monitor=monitor,
            mode=mode,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        ),
        # Not by save_last, which is written together with a new best one only.
        ModelCheckpoint(place, filename="last", save_on_train_epoch_end=True, enable_version_counter=False),
    ]
    callbacks.append(RichProgressBar() if sys.stdout.isatty() else ProgressLines())
    try:
        return L.Trainer(
            accelerator=config.trainer.accelerator,
            devices=config.trainer.devices,
            num_nodes=config.trainer.nodes,
            strategy=config.trainer.strategy,
            precision=resolve_precision(config),  # type: ignore[arg-type]
            max_epochs=config.trainer.max_epochs,
            gradient_clip_val=config.optim.gradient_clip,
            check_val_every_n_epoch=every,
            log_every_n_steps=config.trainer.log_every_n_steps,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_model_summary=False,
            enable_progress_bar=sys.stdout.isatty(),
            logger=TensorBoardLogger(folder, name="", version="", default_hp_metric=False),
            callbacks=callbacks,
            default_root_dir=folder,
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        raise ConfigError(f"the section trainer cannot be used here: {error}") from error


def anchor_paths(config: Config) -> None:
    """Make the paths of the data absolute, so that a run can be evaluated from any folder."""

    def absolute(place: str) -> str:
        return str(Path(place).expanduser().absolute())

    data = config.data
    data.cache_dir = absolute(data.cache_dir)
    if data.root is not None:
        data.root = absolute(data.root)
    if isinstance(data.corpus, list):
        data.corpus = [absolute(place) for place in data.corpus]
    elif data.corpus is not None:
        data.corpus = absolute(data.corpus)


@dataclass
class FitResult:
    """A finished run."""

    folder: Path
    metrics: dict[str, float]


def fit(config: Config, resume: str | Path | None = None, overwrite: bool = False) -> FitResult:
    """Train one stage; the run folder then holds config.yaml, checkpoints, TensorBoard events and metrics.json.

    Parameters
    ----------
    resume
        A checkpoint of this run to go on from, or "auto" for its last one if there is one.
    overwrite
        Take the place of a run of the same name.

    Raises
    ------
    ConfigError, CheckpointError, CorpusError, TextEncoderError
        With nothing left behind.
    """
    quiet_lightning()
    L.seed_everything(config.seed, workers=True, verbose=False)
    anchor_paths(config)
    start = load_start(config)
    data = build_datamodule(config, None if start is None else start.vocabulary)
    data.prepare_data()
    data.setup("fit")
    module = build_module(config, data, start)

    domain = run_domain(config, data)
    folder = run_folder(config, domain)
    if resume == "auto":
        last = folder / LAST
        resume, overwrite = (last, overwrite) if last.is_file() else (None, True)  # stopped before it saved anything
    if resume is not None:
        check_resumable(load_checkpoint(resume, config.stage), config, data)
    has_pairs = any(any(dataset.texts) for dataset in data.datasets["validation"])
    trainer = build_trainer(config, folder, has_pairs)
    if not trainer.is_global_zero:  # the processes that Lightning starts find the folder made
        return _train(config, folder, data, module, trainer, resume, domain)
    with claimed(folder, overwrite, go_on=resume is not None):
        write_atomically(folder / "config.yaml", to_yaml(config))
        return _train(config, folder, data, module, trainer, resume, domain)


@contextmanager
def claimed(folder: Path, overwrite: bool, go_on: bool) -> Iterator[None]:
    """The run folder, made; taken away again if what is done inside fails before it has saved a checkpoint.

    Raises
    ------
    ConfigError
        The folder exists, and the run neither overwrites it nor goes on with it.
    """
    if not go_on and folder.exists() and any(folder.iterdir()):
        if not (folder / "config.yaml").is_file():
            raise ConfigError(f"{folder} holds something else than a run; choose another run.name or run.dir")
        if not overwrite:
            raise ConfigError(
                f"the run {folder} exists; choose another run.name, go on with it (--resume auto), "
                "or replace it (--overwrite)"
            )
    former = folder.with_name(f".{folder.name}.former")  # what is overwritten comes back if its successor fails
    if not go_on and folder.exists():
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if absent and not (folder / LAST).is_file():
            shutil.rmtree(folder)
            if former.exists():
                former.rename(folder)
            for parent in absent[1:]:
                with suppress(OSError):  # another run has come to live there
                    parent.rmdir()
        raise
    finally:
        shutil.rmtree(former, ignore_errors=True)


def run_domain(config: Config, data: DomainDataModule) -> str:
    """The domain a run is filed under: that of its corpora, or `joint`."""
    domains = {corpus.info.domain for corpus in data.corpora}
    return domains.pop() if len(domains) == 1 else "joint"


def _train(
    config: Config,
    folder: Path,
    data: DomainDataModule,
    module: StageModule,
    trainer: L.Trainer,
    resume: str | Path | None,
    domain: str,
) -> FitResult:
    if config.trainer.compile:
        for block in module.encoder.blocks:
            block.compile()
    announce(config, folder, data, module, trainer)
    began = time.perf_counter()
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    except SystemExit:  # what Lightning makes of a KeyboardInterrupt
        raise KeyboardInterrupt from None
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    throughput = next(callback for callback in callbacks if isinstance(callback, Throughput))
    if not throughput.samples:  # its metrics are those of the training, which was done before
        if trainer.is_global_zero:
            print(f"done: {folder}, there was no epoch left to train")
        return FitResult(folder, {})
    chooser = trainer.checkpoint_callback
    assert isinstance(chooser, ModelCheckpoint)
    best = chooser.best_model_score
    metrics = {
        "fit/seconds": time.perf_counter() - began,
        "fit/epochs": float(trainer.current_epoch),
        "fit/samples_per_second": throughput.samples_per_second,
        "fit/parameters": float(sum(p.numel() for p in module.parameters())),
        f"best/{chooser.monitor}": float("nan") if best is None else float(best),
    }
    logged = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("validation/")}
    metrics |= {f"last/{name}": value for name, value in sorted(logged.items())}
    if trainer.is_global_zero:
        write_metrics(folder, {"run/data_fingerprint": data.data_fingerprint, **metrics})
        log_hyperparameters(trainer, config, domain, metrics)
        print(f"done: {folder}")
        for name, value in metrics.items():
            if name.startswith(("fit/", "best/")):
                print(f"  {name} {value:.4g}")
    return FitResult(folder, metrics)


def announce(config: Config, folder: Path, data: DomainDataModule, module: StageModule, trainer: L.Trainer) -> None:
    """Say what starts."""
    if not trainer.is_global_zero:
        return
    total = sum(p.numel() for p in module.parameters())
    rows = ", ".join(
        f"{name} {len(dataset)}" for name, dataset in zip(data.corpus_names, data.datasets["train"], strict=True)
    )
    print(f"{config.stage} → {folder}")
    print(f"  data      {rows} training windows, fingerprint {data.data_fingerprint[:12]}")
    if isinstance(data.text, CachedTextEncoder):
        print(f"  texts     {data.text.stats.describe()}, encoder {config.text.name}")
    print(f"  model     {total:,} parameters, start {config.init_from or 'random'}, seed {config.seed}")
    print(
        f"  device    {trainer.strategy.root_device.type} × {trainer.world_size}, precision {trainer.precision}, "
        f"global batch {config.data.batch_size * trainer.world_size}",
        flush=True,
    )


def log_hyperparameters(trainer: L.Trainer, config: Config, domain: str, metrics: dict[str, float]) -> None:
    """HParams with the final metrics, so that TensorBoard compares runs."""
    flat: dict[str, Any] = {"domain": domain}

    def flatten(prefix: str, node: dict[str, Any]) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                flatten(f"{prefix}{key}.", value)
            else:
                flat[f"{prefix}{key}"] = value if isinstance(value, (bool, int, float, str)) else str(value)

    flatten("", to_dict(config))
    logger = trainer.logger
    assert isinstance(logger, TensorBoardLogger)
    compared = ("/MRR", "/P@1", "/loss", "fit/seconds", "fit/samples_per_second", "fit/parameters")
    logger.log_hyperparams(flat, {f"hparams/{name}": v for name, v in metrics.items() if name.endswith(compared)})
    logger.finalize("success")
