"""Corpora, the sources that they are built from, and the DataModules that turn them into batches."""

from data_modules.corpus import Corpus, CorpusError, CorpusInfo, Record, validate_corpus, write_corpus
from data_modules.domain import DomainDataModule
from data_modules.multi import MultiDomainDataModule
from data_modules.registry import datamodule_class, load_datamodule
from trace_lit.channels import Channel

__all__ = [
    "Channel",
    "Corpus",
    "CorpusError",
    "CorpusInfo",
    "DomainDataModule",
    "MultiDomainDataModule",
    "Record",
    "datamodule_class",
    "load_datamodule",
    "validate_corpus",
    "write_corpus",
]
