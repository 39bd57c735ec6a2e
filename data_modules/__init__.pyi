from .building import CorpusCache, build_corpus
from .corpus import Channel, Corpus, CorpusError, CorpusInfo, Record, validate_corpus
from .corpus_writing import write_corpus
from .domain import DomainDataModule
from .registry import datamodule_class

__all__ = [
    "Channel",
    "Corpus",
    "CorpusCache",
    "CorpusError",
    "CorpusInfo",
    "DomainDataModule",
    "Record",
    "build_corpus",
    "datamodule_class",
    "validate_corpus",
    "write_corpus",
]
