"""`trace-lit info`: what a run is."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trace_lit.cli.runs import age_in_words
from trace_lit.cli.tables import aligned
from trace_lit.escapes import say

if TYPE_CHECKING:
    from trace_lit.settings import Config


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    info = jobs.add_parser("info", help="what a run is: stage, data, channels, start, metrics, size, how it was made")
    info.add_argument("run", type=Path, metavar="RUN", help="a run folder or a checkpoint")
    info.set_defaults(job=run)


def run(options: argparse.Namespace) -> int:
    """Print what the run is, a line a fact."""
    from trace_lit.modules import CheckpointError, checkpoint_path
    from trace_lit.modules.finding import is_universal

    place: Path = options.run
    if place.is_dir() and (place / "config.yaml").is_file():
        facts = _facts_of_folder(place)
    elif place.is_file():
        facts = _facts_of_file(place)
    elif is_universal(place):
        facts = _facts_of_file(checkpoint_path(place))
    elif place.exists():
        raise CheckpointError(f"{place} is not a run folder: it has no config.yaml; runs are written by trace-lit fit")
    else:
        raise CheckpointError(f"{place} does not exist; give a run folder or a checkpoint")
    say("\n".join(aligned([[name, text] for name, text in facts if text])))
    return 0


def _facts_of_folder(folder: Path) -> list[tuple[str, str]]:
    from trace_lit.runs.folder import read_metrics, read_settings
    from trace_lit.runs.listing import list_run
    from trace_lit.runs.record import read_record

    listed, config, metrics, record = list_run(folder), read_settings(folder), read_metrics(folder), read_record(folder)
    about = record if "channels" in record else _about_of_checkpoint(folder) if listed.state != "no checkpoint" else {}
    metric = [] if listed.metric is None else [("metric", f"{listed.metric[0]} {listed.metric[1]:.4g}")]
    return [
        ("run", str(folder)),
        ("state", f"{listed.state}, last change {age_in_words(time.time() - listed.changed)} ago"),
        ("domain", listed.domain),
        *_settings(config),
        *_data(about, metrics),
        *metric,
        *_costs(metrics),
        ("files", _size(folder)),
        *[("session", _session(session)) for session in record.get("sessions", ())],
    ]


def _facts_of_file(path: Path) -> list[tuple[str, str]]:
    from trace_lit.modules import load_checkpoint

    checkpoint = load_checkpoint(path)
    return [
        ("checkpoint", str(path)),
        ("epochs", f"{checkpoint.epochs}, {checkpoint.step:,} steps"),
        *_settings(checkpoint.config),
        *_data(_about(checkpoint), {}),
        ("size", f"{sum(weights.numel() for weights in checkpoint.weights.values()):,} numbers"),
        ("files", f"{path.stat().st_size / 1e6:.1f} MB"),
    ]


def _about_of_checkpoint(folder: Path) -> dict[str, Any]:
    """What a run of version 0.1 does not say but in its checkpoint."""
    from trace_lit.modules import load_checkpoint

    return _about(load_checkpoint(folder))


def _about(checkpoint: Any) -> dict[str, Any]:
    return {
        "channels": list(checkpoint.vocabulary.keys),
        "labels": list(checkpoint.label_names),
        "data_fingerprint": checkpoint.data_fingerprint,
    }


def _settings(config: Config) -> list[tuple[str, str]]:
    stage = config.stage
    facts = [("stage", stage), ("seed", str(config.seed)), ("start", config.init_from or "random")]
    data = config.data
    corpora = data.corpus if isinstance(data.corpus, list) else [data.corpus] if data.corpus else []
    facts.append(("corpus", ", ".join(map(str, corpora)) or f"{data.domain}, source {data.source}"))
    if stage == "tune":
        facts.append(("task", f"{config.tune.task}, model {config.tune.model}"))
        facts.append(("windows", _windows(config)))
    if config.text.name and stage != "pretrain":
        facts.append(("text", f"{config.text.name}, a vector a {config.text.unit}"))
    encoder = config.encoder
    facts.append(("encoder", f"width {encoder.width}, {encoder.layers} layers, patches of {encoder.patch_length}"))
    return facts


def _windows(config: Config) -> str:
    lookback = config.window.lookback
    text = "as long as the longest row" if lookback is None else f"look-back {lookback} steps"
    return f"{text}, horizon {config.window.horizon} steps" if config.tune.task == "forecast" else text


def _data(about: dict[str, Any], metrics: dict[str, Any]) -> list[tuple[str, str]]:
    fingerprint = str(about.get("data_fingerprint") or metrics.get("run/data_fingerprint") or "")
    return [
        ("channels", ", ".join(about.get("channels", ()))),
        ("labels", ", ".join(about.get("labels", ()))),
        ("data", f"fingerprint {fingerprint[:12]}" if fingerprint else ""),
    ]


def _costs(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    if "fit/parameters" in metrics:
        trained = metrics.get("fit/trained_parameters", metrics["fit/parameters"])
        found.append(("size", f"{metrics['fit/parameters']:,.0f} parameters, {trained:,.0f} of them trained"))
    if "fit/seconds" in metrics:
        epochs = f", {metrics['fit/epochs']:.0f} epochs" if metrics.get("fit/epochs") else ""
        found.append(("took", f"{metrics['fit/seconds']:.4g} s{epochs}"))
    return found


def _size(folder: Path) -> str:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB in {len(files)} files"


def _session(session: dict[str, str]) -> str:
    return (
        f"{session.get('began', '?')}, version {session.get('version', '?')}, {session.get('outcome', 'not ended')}: "
        f"{session.get('command', '?')}"
    )
