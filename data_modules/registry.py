"""From a configuration to the data module that it names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from data_modules.domain import DomainDataModule
from data_modules.multi import MultiDomainDataModule
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import Config, ConfigError, DataConfig
from trace_lit.text import TextEncoder

BUILT_IN = {
    "weather": "data_modules.weather:WeatherDataModule",
    "healthcare": "data_modules.healthcare:HealthcareDataModule",
    "energy": "data_modules.energy:EnergyDataModule",
    "timemmd": "data_modules.timemmd:TimeMMDDataModule",
}


def load_datamodule(
    config: Config, text: TextEncoder | None = None, vocabulary: ChannelVocabulary | None = None
) -> DomainDataModule:
    """The data module of `config`, before `prepare_data` and `setup`.

    Stage 1 looks at no text, nor does tuning without alignment, so only the channels' names are encoded for it.

    Raises
    ------
    ConfigError
        `data.domain` names no class, or one that is no `DomainDataModule`; or stage 2 is asked for random offsets.
    """
    if config.data.random_offset and config.stage == "align":
        raise ConfigError(
            "data.random_offset is true in stage align; a window that has moved is no longer what its text describes: "
            "keep it for stage pretrain"
        )
    with_texts = config.stage == "align" or (config.stage == "tune" and config.tune.alignment_weight)
    return datamodule_class(config.data)(
        config.data,
        text,
        text_unit=config.text.unit if with_texts else "none",
        patch_length=config.encoder.patch_length,
        vocabulary=vocabulary,
        evaluation_batch_size=config.evaluation.batch_size,
        seed=config.seed,
        tune=config.tune if config.stage == "tune" else None,
        statements=config.alignment.statements if config.stage == "align" else 0,
    )


def datamodule_class(data: DataConfig) -> type[DomainDataModule]:
    """The class that `data` asks for; corpus folders need no class of their own, whatever domain they are of."""
    if ":" in data.domain:
        return _imported(data.domain)
    if isinstance(data.corpus, list):
        return MultiDomainDataModule
    if data.corpus is not None:
        return DomainDataModule
    if data.domain not in BUILT_IN:
        raise ConfigError(
            f"data.domain is {data.domain!r}; it must be one of {', '.join(BUILT_IN)}, 'package.module:Class' of a "
            "DomainDataModule, or any name if data.corpus gives the corpus folder"
        )
    return _imported(BUILT_IN[data.domain])


def _imported(path: str) -> type[DomainDataModule]:
    """The class `package.module:Class`; modules in the current folder are found, too."""
    name, _, attribute = path.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there and lacks something that it imports
        raise ConfigError(
            f"data.domain is {path!r}, but there is no module {name!r} in {here} or among the installed packages"
        ) from None
    found = getattr(module, attribute, None)
    if not (isinstance(found, type) and issubclass(found, DomainDataModule)):
        offered = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, DomainDataModule) and value.__module__ == name
        ]
        raise ConfigError(
            f"data.domain is {path!r}, but {attribute!r} in {name} is no DomainDataModule; "
            f"those there are: {', '.join(offered) or 'none'}"
        )
    return found
