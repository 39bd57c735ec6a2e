"""What a training step is told of its windows, and that it is true."""

import dataclasses

import numpy as np
import pytest
import torch

from data_modules import statement_bank as module
from data_modules.corpus import Corpus, CorpusError
from data_modules.rules import WindowTable
from data_modules.statement_bank import StatementBank
from data_modules.statements import Statements as Generator
from data_modules.statements.facts import above
from data_modules.statements.measures import Clock
from trace_lit.batch import NO_STATEMENT, Statements
from trace_lit.text.wordllama import WordLlamaEncoder

FIRST = 100  # the corpus is behind another one of so many rows


@pytest.fixture(scope="module")
def rows(tiny_corpus):
    corpus = Corpus.load(tiny_corpus)
    return corpus, np.array(corpus.select("train"), dtype=np.int64)


@pytest.fixture(scope="module")
def bank(rows):
    return StatementBank(*rows, WordLlamaEncoder(), "token", FIRST, 2, seed=3)


def test_the_texts_of_a_window_are_true_and_an_opposite_joins_them(bank, rows):
    places = np.arange(0, len(rows[1]), 3)
    output = bank.draw(places, epoch=0)
    assert output.stated.shape == (len(places), 3, module.JOINED)
    for place, row in enumerate(places):
        true = bank.truth(output.stated[place], torch.tensor([row]))[:, 0]
        assert true[:2].all()
    assert (output.stated[:, :2, 0] != NO_STATEMENT).any(1).all()
    opposite = output.stated[:, 2, 0] != NO_STATEMENT
    assert opposite.float().mean() > 0.5


def test_a_single_window_leaves_nothing_to_state(rows):
    """High and late are so among other windows."""
    corpus, every = rows
    with pytest.raises(CorpusError, match=r"nothing can be stated of its training windows \(1\); build it from more"):
        StatementBank(corpus, every[:1], WordLlamaEncoder(), "token", FIRST, 2, seed=3)


def test_half_of_the_texts_are_also_reversed_in_one_statement(rows):
    bank = StatementBank(*rows, WordLlamaEncoder(), "token", FIRST, 6, seed=3, pool=8)
    places = np.arange(len(rows[1]))
    stated = bank.draw(places, epoch=1).stated
    assert (bank.count, bank.turned, stated.shape[1]) == (6, 3, 9)
    first, reversed_ = stated[:, :3], stated[:, 6:]
    there = reversed_[..., 0] != NO_STATEMENT
    assert there.float().mean() > 0.5
    assert torch.equal(first[there][:, 1:], reversed_[there][:, 1:])
    assert torch.equal(torch.from_numpy(bank._opposite)[first[there][:, 0]], reversed_[there][:, 0])
    false = [
        not bool(bank.truth(reversed_[window, text][None], torch.tensor([window]))[0, 0])
        for window, text in there.nonzero().tolist()
    ]
    assert np.mean(false) > 0.6


def test_the_truth_is_that_of_the_rules(bank, rows):
    corpus, own = rows
    table = WindowTable.of(corpus, own)
    generator = Generator.of(corpus, own, 3)
    size = min(48 * len(own), module.MOST)
    statements = generator.bank(size, np.random.default_rng([3, 2])).statements
    everywhere = torch.arange(len(own))
    for number in range(0, len(statements), 37):
        statement = statements[number]
        assert bank.texts[number] == statement.text
        expected = statement.rule.holds(table)
        assert bank.truth(torch.tensor([[number]]), everywhere)[0].tolist() == expected.tolist()
        if statement.opposite_rule is not None:
            turned = int(bank._opposite[number])
            assert bank.texts[turned] == statement.opposite
            expected = statement.opposite_rule.holds(table)
            assert bank.truth(torch.tensor([[turned]]), everywhere)[0].tolist() == expected.tolist()


def test_a_text_of_several_statements_fits_where_all_do(bank, rows):
    everywhere = torch.arange(len(rows[1]))
    one, other = (bank.truth(torch.tensor([[number]]), everywhere)[0] for number in (4, 9))
    both = bank.truth(torch.tensor([[4, 9, NO_STATEMENT]]), everywhere)[0]
    assert both.tolist() == (one & other).tolist()


def test_a_window_is_told_the_same_in_whatever_batch_it_is(bank):
    together = bank.draw(np.array([5, 2, 11]), epoch=4)
    alone = bank.draw(np.array([2]), epoch=4)
    assert together.stated[1].tolist() == alone.stated[0].tolist()
    tokens = [own.text[place][own.mask[place]] for own, place in ((together, 1), (alone, 0))]
    assert torch.equal(*tokens)
    assert bank.draw(np.array([2]), epoch=5).stated.tolist() != alone.stated.tolist()


def test_statements_behind_one_another_are_sentences_of_their_own(bank):
    output = bank.draw(np.arange(20), epoch=0)
    many = (output.stated != NO_STATEMENT).sum(-1) > 1
    sentences = []
    for window, text in many.nonzero().tolist():
        marks = output.text[window, text][output.mask[window, text]][:, -4]
        sentences.append(len(marks.unique()))
    assert sentences
    assert min(sentences) > 1


def test_rows_count_from_the_corpus_s_own_first(bank, rows):
    assert FIRST in bank
    assert FIRST + len(rows[1]) - 1 in bank
    assert FIRST - 1 not in bank
    assert FIRST + len(rows[1]) not in bank


def test_they_move_with_a_batch(bank):
    output = bank.draw(np.arange(4), epoch=0)
    half = output.map(lambda tensor: tensor[2:])
    assert isinstance(half, Statements)
    for field in dataclasses.fields(Statements):
        assert torch.equal(getattr(half, field.name), getattr(output, field.name)[2:])


def test_facts_of_other_hours_are_others_although_their_words_are_the_same():
    night, day = (above(Clock("mean in hours", ("wind speed [m/s]",), hours=own), 3.0) for own in ((0, 6), (12, 18)))
    assert str(night) == str(day)
    facts, examples = module._facts([night, day, night, day, day])
    assert facts.tolist() == [1, 0, 1, 0, 0]  # what many statements state comes first
    assert examples.tolist() == [1, 0]
