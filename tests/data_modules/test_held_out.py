"""What is asked of validation windows where no window has a report."""

from __future__ import annotations

import numpy as np

from data_modules import Corpus, DomainDataModule, write_corpus
from data_modules.config import DataConfig
from data_modules.held_out import HeldOutStatements
from data_modules.sources.generated import varied
from data_modules.statements import Statements
from data_modules.vocabulary import usual_values


def test_statements_are_different_and_decided_by_the_validation_windows(encoder) -> None:
    info, records = varied(1, instances=96)
    corpus = Corpus.from_records(records, info)
    held = HeldOutStatements(corpus, encoder, "sentence", seed=0)
    rows = corpus.select("validation")
    assert len(held) == len(set(held.texts)) == len(held.truth) > 20
    assert held.truth.shape[1] == len(rows)
    assert (held.truth.any(1) & (held.truth.mean(1) <= 0.9)).all()
    vectors, mask = held.vectors()
    assert vectors.shape[:2] == mask.shape
    assert mask.any(1).all()
    generator = Statements.of(corpus, rows, 0)
    bank = generator.bank(64, np.random.default_rng([0, 3]))
    rules = {statement.text: statement.rule for statement in bank.statements}
    for text, truth in zip(held.texts, held.truth, strict=True):
        np.testing.assert_array_equal(generator.decide([rules[text]])[0], truth)


def test_corpora_without_reports_have_them_and_their_own_usual_values(tmp_path, encoder) -> None:
    folders = []
    for number in (1, 2):
        info, records = varied(number, instances=64)
        folders.append(str(write_corpus(records, info, tmp_path / info.name).path))
    made = {}
    for usual, own in (("corpus", 2), ("training", 0)):
        module = DomainDataModule(DataConfig(corpus=folders, usual=usual), encoder, statements=1, statement_pool=2)
        module.prepare_data()
        module.setup("fit")
        assert len(module.held_out) == 2
        assert len(module.vocabularies) == own
        made[usual] = module
    module = made["corpus"]
    for vocabulary, corpus in zip(module.vocabularies, module.corpora, strict=True):
        assert vocabulary.keys == module.vocabulary.keys
        for key, (mean, deviation) in usual_values([corpus]).items():
            place = vocabulary.keys.index(key)
            assert (vocabulary.mean[place], vocabulary.deviation[place]) == (mean, deviation)
