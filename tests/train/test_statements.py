"""What is learned from statements before the epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data_modules import DomainDataModule
from data_modules.corpus_writing import write_corpus
from data_modules.sources.generated import varied
from tests.conftest import TinyRuns
from trace_lit.config import ConfigError
from trace_lit.modules import AlignModule, load_checkpoint
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import Config, load_config
from trace_lit.train import fit
from trace_lit.train.facts import CommonFacts, Facts
from trace_lit.train.start import build_module, load_start
from trace_lit.train.statements import learn_statements, taught
from trace_lit.train.trainer import chosen_by

WORDS = (
    "stage=align",
    "text={unit: token}",
    "encoder={width: 32, layers: 1, heads: 2, dropout: 0}",
    "alignment={tower: reading, match_names: true, statistics: true, statements: 2, statement_pool: 24}",
    "alignment.voice_weight=0.5",
    "optim.learning_rate=5e-3",
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def aligned(tiny_runs: TinyRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch."""
    words = [*tiny_runs.words, *WORDS, f"run.dir={tmp_path_factory.mktemp('aligned')}", "trainer.max_epochs=1"]
    return fit(load_config([], words)).folder


def made(tiny_runs: TinyRuns, *words: str) -> tuple[Config, DomainDataModule, AlignModule]:
    config = load_config([], [*tiny_runs.words, *WORDS, *words])
    data = build_datamodule(config)
    data.setup("fit")
    torch.manual_seed(0)  # whatever ran before
    module = build_module(config, data, None)
    assert isinstance(module, AlignModule)
    return config, data, module


@torch.no_grad()
def average_precision(module: AlignModule, data: DomainDataModule) -> tuple[float, float]:
    """Of the statements of each bank by its training windows, as the whole model ranks them; and that of chance."""
    module.eval()
    found, chance = [], []
    for number, (bank, dataset) in enumerate(zip(module.statement_banks, data.datasets["train"], strict=True)):
        module.enter(number)
        batch = dataset[list(range(len(dataset)))]
        slots = dataset.channel_ids.sort().values
        numbers = np.arange(min(bank.straight, 400))
        text, mask, _ = bank.look_up(numbers)
        scores = module.model.embed_text(text, mask, slots) @ module.model.embed_series(batch, slots).T
        truth = bank.truth(torch.from_numpy(numbers)[:, None], torch.arange(len(dataset)))
        fits = truth.gather(1, scores.argsort(dim=1, descending=True))
        precision = fits.cumsum(1) / torch.arange(1, len(dataset) + 1)
        found.append(((precision * fits).sum(1) / fits.sum(1).clamp(min=1)).mean())
        chance.append(truth.float().mean())
    return float(torch.stack(found).mean()), float(torch.stack(chance).mean())


@pytest.mark.slow
def test_statements_find_their_windows_before_any_epoch(tiny_runs: TinyRuns) -> None:
    _, data, module = made(tiny_runs, "alignment.statement_steps=200")
    before, chance = average_precision(module, data)
    costs = learn_statements(module, data, CPU)
    after, _ = average_precision(module, data)
    assert before < chance + 0.15
    assert after > chance + 0.3
    assert costs["fit/statement_seconds"] > 0


@pytest.mark.slow
def test_several_corpora_learn_side_by_side(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[torch.Tensor] = []

    class Watched(CommonFacts):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            moved.extend((self.vectors, self.vectors.detach().clone()))

    monkeypatch.setattr("trace_lit.train.statements.CommonFacts", Watched)
    folders = []
    for number in (1, 2):
        info, records = varied(number, instances=64)
        folders.append(str(write_corpus(records, info, tmp_path / info.name).path))
    words = (f"data.corpus=[{','.join(folders)}]", "data.usual=corpus", "encoder.learned_tokens=false")
    _, data, module = made(tiny_runs, *words, "alignment.statement_steps=200")
    learn_statements(module, data, CPU)
    after, chance = average_precision(module, data)
    assert after > chance + 0.2
    learned, before = moved
    assert len(learned) > 50
    assert ((learned - before).flatten(1).norm(dim=1) > 1e-3).all()


def test_equal_seeds_learn_the_same_and_generators_stay(tiny_runs: TinyRuns) -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        _, data, module = made(tiny_runs, "alignment.statement_steps=3", "encoder.dropout=0.1")
        before = {name: weight.clone() for name, weight in module.state_dict().items()}
        torch.rand(1 + len(weights))  # the state of the generator differs
        state = torch.get_rng_state()
        learn_statements(module, data, CPU)
        assert torch.equal(torch.get_rng_state(), state)
        weights.append(module.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in before)
    for part in ("model.text.", "model.statistics."):
        assert any(not torch.equal(before[name], weights[0][name]) for name in before if name.startswith(part))


def test_the_statistics_alone_decide_at_first(tiny_runs: TinyRuns) -> None:
    """What the encoder says begins at nothing; all else is as the steps on statements have left it."""
    _, data, module = made(tiny_runs, "alignment.statement_steps=2")
    learn_statements(module, data, CPU)
    module.eval()
    dataset = data.datasets["train"][0]
    batch, slots = dataset[[0, 1, 2]], dataset.channel_ids.sort().values
    features = module.model.measure(batch, module.encoder.scale_of(batch))
    with torch.no_grad():
        alone = module.model.embed_statistics(features, batch.channel_ids, slots)
        torch.testing.assert_close(module.model.embed_series(batch, slots), alone, rtol=0, atol=0.03)


def test_from_an_aligned_run_texts_learn_alone(tiny_runs: TinyRuns, aligned: Path, tmp_path: Path) -> None:
    """Series stay where they are; without epochs that is all, and the run ends with a checkpoint and its metrics."""
    steps = ["alignment.statement_steps=30", "trainer.max_epochs=0", f"init_from={aligned}", f"run.dir={tmp_path}"]
    second = fit(load_config([], [*tiny_runs.words, *WORDS, *steps]))
    before, after = (load_checkpoint(folder).weights for folder in (aligned, second.folder))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("model.text.") for name in changed)
    assert all(name.startswith(("model.text.", "model.log_statement_temperature")) for name in changed)
    assert second.metrics["fit/epochs"] == 0
    assert 0 < second.metrics["last/validation/text_to_series/pair/MRR"] <= 1


@pytest.mark.slow
def test_texts_that_learn_alone_find_more_of_their_windows(tiny_runs: TinyRuns, aligned: Path) -> None:
    config = load_config([], [*tiny_runs.words, *WORDS, "alignment.statement_steps=200", f"init_from={aligned}"])
    data = build_datamodule(config)
    data.setup("fit")
    module = build_module(config, data, load_start(config))
    assert isinstance(module, AlignModule)
    before, _ = average_precision(module, data)
    learn_statements(module, data, CPU)
    assert average_precision(module, data)[0] > before + 0.1


def test_a_run_without_epochs_needs_steps_on_statements(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.max_epochs is 0, which leaves nothing to train"):
        load_config([], [*tiny_runs.words, *WORDS, "trainer.max_epochs=0"])


def test_facts_are_told_in_several_ways(tiny_runs: TinyRuns) -> None:
    """Statements of one fact have one rule, so that they are true of the same windows and speak of the same channels."""
    module = made(tiny_runs)[2]
    bank = module.statement_banks[0]
    rows = torch.arange(bank.size)
    assert len(bank.facts) == len(bank)
    assert len(bank.examples) == bank.facts.max() + 1 > 50
    for fact in (0, 1, len(bank.examples) - 1):
        same = np.flatnonzero(bank.facts == fact)
        assert len(same) > 1
        assert bank.examples[fact] in same
        truth = bank.truth(torch.from_numpy(same)[:, None], rows)
        assert (truth == truth[0]).all()
        assert (bank.speaks_of(same) == bank.speaks_of(same)[0]).all()


@pytest.mark.parametrize(
    "word",
    [
        *("alignment.statements=0", "alignment.statistics=false"),
        *("alignment.heads=linear", "alignment.channel_score=false"),
    ],
)
def test_what_they_need_is_said(word: str, tiny_runs: TinyRuns, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alignment\.statement_steps is 5, which needs"):
        fit(load_config([], [*tiny_runs.words, *WORDS, "alignment.statement_steps=5", word, f"run.dir={tmp_path}"]))
    assert list(tmp_path.iterdir()) == []


def test_a_text_is_taught_to_stand_to_all_facts_as_its_own_does() -> None:
    generator = torch.Generator().manual_seed(0)
    others = torch.nn.functional.normalize(torch.randn(40, 8, generator=generator), dim=1)
    teachers = others[:6]
    assert taught(teachers, teachers, others) == pytest.approx(torch.zeros(6), abs=1e-6)
    nearer, farther = (
        torch.nn.functional.normalize(teachers + noise * torch.randn(6, 8, generator=generator), dim=1)
        for noise in (0.1, 1.0)
    )
    assert (taught(nearer, teachers, others) > 0).all()
    assert taught(nearer, teachers, others).mean() < taught(farther, teachers, others).mean()


def test_statements_choose_the_best_checkpoint_where_they_are_to(tiny_runs: TinyRuns) -> None:
    config, data, _ = made(tiny_runs)
    assert not data.held_out
    assert chosen_by(config, data) == ("validation/text_to_series/pair/MRR", "max")
    config, data, _ = made(tiny_runs, "evaluation.choose_by=statements")
    assert len(data.held_out[0])
    assert chosen_by(config, data) == ("validation/statements/AP", "max")
    config, data, _ = made(tiny_runs, "evaluation.choose_by=statements", "alignment.statements=0")
    with pytest.raises(ConfigError, match="none is made: set"):
        chosen_by(config, data)


@pytest.mark.slow
def test_texts_are_measured_beside_the_statements_that_choose(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    words = ("evaluation.choose_by=statements", "trainer.max_epochs=1", f"run.dir={tmp_path}")
    run = fit(load_config([], [*tiny_runs.words, *WORDS, *words]))
    assert 0 < run.metrics["best/validation/statements/AP"] <= 1
    assert 0 < run.metrics["last/validation/text_to_series/pair/MRR"] <= 1


def test_facts_of_one_sense_are_one_vector_wherever_their_channels_stand() -> None:
    peak, both = ("peak", 1), ("peak", 1, "level", -1)
    here = [(peak, [0]), None, (both, [1, 0])]
    there = [(both, [0, 2]), (peak, [2]), (("alone", 0), [1])]
    torch.manual_seed(0)
    common = CommonFacts([own for own in (*here, *there) if own is not None], 4, CPU)
    assert set(common.numbers) == {peak, both}

    def heard(*places: list[int]) -> torch.Tensor:
        parts = torch.zeros(len(places), 4, dtype=torch.bool)
        for row, own in enumerate(places):
            parts[row, own] = True
        return parts

    order = torch.tensor([2, 0, 1])  # where the channels of the second corpus stand
    first = Facts(here, heard([1], [2], [0, 1, 2]), torch.arange(3), common).every().unflatten(1, (4, 4))
    second = Facts(there, heard([0, 3, 2], [2], [1]), order, common).every().unflatten(1, (4, 4))
    torch.testing.assert_close(first[0, 1], second[1, 2])
    torch.testing.assert_close(first[2, [0, 2, 1]], second[0, [0, 3, 2]])
    assert (first[0, [0, 2, 3]] == 0).all()
    assert (second[1, [0, 1, 3]] == 0).all()
    torch.testing.assert_close(torch.cat([first, second]).flatten(1).norm(dim=1), torch.ones(6))
    assert (first[1, 2] - first[0, 1]).norm() > 0.1
