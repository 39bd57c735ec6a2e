"""Learning from statements alone, before the epochs: what the statistics of windows are called.

At first each fact that statements state has a vector, and windows come near the facts that are true of them. What a fact
says of channels relative to what is usual, such as "highest in the middle", is one vector for all channels of all corpora.
Then the texts come near the windows that they are true of and near their facts, and learn from these, as from a teacher
(Hinton et al., "Distilling the Knowledge in a Neural Network", 2015), how they stand to all the others: "highest early on"
is far from "highest at the end", and near "falling". The encoder is left out, so that a step takes a fraction of a step of
the epochs, and compares with many more windows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from data_modules import DomainDataModule
from data_modules.dataset import CorpusDataset
from data_modules.statement_bank import StatementBank
from trace_lit.alignment import multi_positive_info_nce, turned_loss, voice_loss
from trace_lit.batch import NO_STATEMENT
from trace_lit.config import ConfigError
from trace_lit.distributed import is_first
from trace_lit.encoder.statistics import WindowFeatures
from trace_lit.modules.align import AlignModule
from trace_lit.modules.optim import build_optimizer, build_schedule
from trace_lit.text.progress import JobProgress
from trace_lit.train.facts import FACTS, CommonFacts, Facts

TEXTS = 256  # in a step; a third of them are also turned round
WINDOWS, CANDIDATES = 1024, 4096  # that facts and texts are compared with in a step
SERIES_SHARE = 0.3  # steps on facts, as a share of those on texts
FACT_WEIGHT = 1.0  # of a text's distance from its fact, where facts and series were learned together
FITTED_STEPS, FITTED_RATE, FITTED_TEMPERATURE = 60, 0.01, 0.05  # of facts that are fitted to series
TEACHER_WEIGHT, TEACHER_TEMPERATURE = 1.0, 0.05  # of how a text stands to all facts, as its own fact does
TEACHERS = 2048  # facts, beside the texts' own, that it is compared with in a step
MOST_FACTS, MOST_FEATURES = 2**27, 2**27  # numbers that are held, of all corpora
MOST_HIDDEN = 2**25  # numbers of the pairs of channels of the windows in a step
_AT_ONCE = 128  # windows that are measured


@dataclass
class _Stated:
    """One corpus: its training windows, n of them at most, and its facts."""

    number: int
    bank: StatementBank
    rows: NDArray[np.int64]  # (n,) of the bank
    features: WindowFeatures | None  # None where the series stay where they are
    channel_ids: Tensor  # (C,)
    slots: Tensor  # (C,) the same, sorted
    place: Tensor  # (C,) of each channel in `slots`
    facts: Facts

    def series(self, module: AlignModule, windows: Tensor) -> Tensor:
        """Unit vectors (n, E) of some of the windows."""
        assert self.features is not None
        features = WindowFeatures(**{name: own[windows] for name, own in vars(self.features).items()})
        ids = self.channel_ids.expand(len(windows), -1)
        return module.model.embed_statistics(features, ids, self.slots)

    def truth(self, statements: NDArray[np.int64], windows: Tensor) -> Tensor:
        """(m, n) whether the statements are true of the windows."""
        rows = torch.from_numpy(self.rows)[windows.cpu()]
        return self.bank.truth(torch.from_numpy(statements)[:, None], rows).to(windows.device)


def learn_statements(module: AlignModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Take `alignment.statement_steps` steps on the texts of all corpora, and some on facts before; what they cost.

    Where the module has started from an aligned run, its series stay as they are. Generators are left as they were.

    Raises
    ------
    ConfigError
        Nothing can be stated of the training windows.
    """
    config, began = module.config, time.perf_counter()
    steps = config.alignment.statement_steps
    draw = np.random.default_rng([config.seed, 7])
    devices = [device] if device.type == "cuda" else []
    usable = [number for number, bank in enumerate(module.statement_banks) if len(bank.examples)]
    if not usable:
        raise ConfigError(
            f"alignment.statement_steps is {steps}, but hardly anything can be stated of the training windows; build "
            "the corpus from more windows, or set it to 0"
        )
    before = FITTED_STEPS * len(usable) if module.starts_aligned else _series_steps(steps)
    with torch.random.fork_rng(devices):
        torch.manual_seed(config.seed)
        module.to(device)
        if not module.starts_aligned:
            module.model.leave_to_statistics()
        datasets = data.datasets["train"]
        banks = [module.statement_banks[number] for number in usable]
        # Series that stay where they are were not learned from facts in common.
        senses = [] if module.starts_aligned else [own for bank in banks for own in bank.senses if own is not None]
        common = CommonFacts(senses, module.config.encoder.width, device)
        corpora = [
            _stated(module, bank, datasets[number], number, len(usable), common, draw, device)
            for number, bank in zip(usable, banks, strict=True)
        ]
        if not module.starts_aligned:
            module.train()
            module.encoder.eval()  # what channels are is not left out now and then
        with JobProgress("learning what can be stated", before, is_first()) as job:
            if module.starts_aligned:
                vectors = [_embedded(module, corpus, datasets[corpus.number]) for corpus in corpora]
                for corpus, every in zip(corpora, vectors, strict=True):
                    _fit_facts(corpus, every, draw, job)
            else:
                _learn_series(module, corpora, common, draw, job)
                vectors = [_by_statistics(module, corpus) for corpus in corpora]
        module.model.text.train()
        with JobProgress("learning texts from statements", steps, is_first()) as job:
            _learn_texts(module, corpora, vectors, 0.0 if module.starts_aligned else FACT_WEIGHT, draw, job)
        module.zero_grad(set_to_none=True)
        module.train()
    return {"fit/statement_seconds": time.perf_counter() - began}


def _series_steps(steps: int) -> int:
    return max(round(SERIES_SHARE * steps), 1)


@torch.no_grad()
def _stated(
    module: AlignModule,
    bank: StatementBank,
    dataset: CorpusDataset,
    number: int,
    corpora: int,
    common: CommonFacts,
    draw: np.random.Generator,
    device: torch.device,
) -> _Stated:
    module.enter(number)
    ids = dataset.channel_ids.to(device)
    slots = ids.sort().values
    channels, width = len(ids), module.config.encoder.width
    each = WindowFeatures.numbers(channels, module.config.alignment.peers) + (1 + channels) * width
    count = min(len(dataset), max(MOST_FEATURES // corpora // each, 1))
    rows = np.arange(len(dataset)) if count == len(dataset) else np.sort(draw.permutation(len(dataset))[:count])
    features = None
    if not module.starts_aligned:
        parts = []
        for start in range(0, count, _AT_ONCE):
            batch = dataset[rows[start : start + _AT_ONCE].tolist()].to(device)
            parts.append(vars(module.model.measure(batch, module.encoder.scale_of(batch))))
        features = WindowFeatures(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]})
    examples = bank.examples[: max(MOST_FACTS // corpora // ((1 + channels) * width), 1)]
    place = torch.searchsorted(slots, ids)
    spoken = _at_slots(bank.speaks_of(examples).to(device), place)
    present = torch.cat([spoken.sum(1, keepdim=True) > 1, spoken], dim=1)
    facts = Facts(bank.senses[: len(examples)], present, place, common)
    return _Stated(number, bank, rows, features, ids, slots, place, facts)


def _at_slots(spoken: Tensor, place: Tensor) -> Tensor:
    return torch.zeros_like(spoken).index_copy(1, place, spoken)


class _Learner:
    """The optimiser of some parts of the model."""

    def __init__(self, module: AlignModule, parts: nn.Module, steps: int) -> None:
        self.optimizer = build_optimizer(parts, module.config.optim, fused=False)
        self.schedule = build_schedule(self.optimizer, module.config.optim, steps)
        self.module = module

    def step(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.module.model.bound_temperature()


def _learn_series(
    module: AlignModule, corpora: list[_Stated], common: CommonFacts, draw: np.random.Generator, job: JobProgress
) -> None:
    """Windows and facts."""
    model = module.model
    assert model.statistics is not None
    assert model.log_statement_temperature is not None
    own = [common.vectors, *(corpus.facts.own for corpus in corpora), model.log_statement_temperature]
    steps = _series_steps(module.config.alignment.statement_steps)
    learner = _Learner(module, nn.ModuleDict({"series": model.statistics, "others": nn.ParameterList(own)}), steps)
    for _ in range(steps):
        corpus = _chosen(corpora, draw)
        module.enter(corpus.number)
        channels = len(corpus.slots)
        most = min(WINDOWS, max(MOST_HIDDEN // (module.config.encoder.width * max(channels**2 // 2, 1)), 2))
        windows = _some(len(corpus.rows), most, draw).to(corpus.slots.device)
        facts = _some(len(corpus.facts), FACTS, draw)
        vectors = corpus.facts(facts.to(windows.device))
        truth = corpus.truth(corpus.bank.examples[facts.numpy()], windows)
        logits = vectors @ corpus.series(module, windows).T / model.statement_temperature
        to_series, to_facts = (
            multi_positive_info_nce(logits, truth, ~truth),
            multi_positive_info_nce(logits.T, truth.T, ~truth.T),
        )
        learner.step(to_series.mean() + to_facts.mean())
        job.advance(1)


def _learn_texts(
    module: AlignModule,
    corpora: list[_Stated],
    vectors: list[Tensor],
    fact_weight: float,
    draw: np.random.Generator,
    job: JobProgress,
) -> None:
    """Texts, of facts and windows, with `vectors` (n, E) a corpus, that stay where they are."""
    model, alignment = module.model, module.config.alignment
    assert model.log_statement_temperature is not None
    own = nn.ParameterList([model.log_statement_temperature])
    learner = _Learner(module, nn.ModuleDict({"texts": model.text, "others": own}), alignment.statement_steps)
    kept = {corpus.number: (every, corpus.facts.every()) for corpus, every in zip(corpora, vectors, strict=True)}
    for _ in range(alignment.statement_steps):
        corpus = _chosen(corpora, draw)
        module.enter(corpus.number)
        every, facts = kept[corpus.number]
        windows = _some(len(every), CANDIDATES, draw).to(every.device)
        first = draw.integers(corpus.bank.straight, size=TEXTS)
        turned = corpus.bank.opposite(first[: TEXTS // 3])
        pairs = torch.from_numpy(np.flatnonzero(turned != NO_STATEMENT)).to(every.device)
        numbers = np.concatenate([first, turned[turned != NO_STATEMENT]])
        text, mask, spoken = (own.to(every.device) for own in corpus.bank.look_up(numbers))
        read, voice = model.embed_statements(text, mask, corpus.slots)
        truth, temperature = corpus.truth(numbers, windows), model.statement_temperature
        series = every[windows]
        loss = multi_positive_info_nce(read @ series.T / temperature, truth, ~truth).mean()
        fact = torch.from_numpy(corpus.bank.facts[numbers]).to(every.device)
        known = (fact >= 0) & (fact < len(facts))
        stated = fact[known]
        if fact_weight:
            loss = loss + fact_weight * _mean(1 - (read[known] * facts[stated]).sum(1))
        among = torch.cat([stated, _some(len(facts), TEACHERS, draw).to(stated.device)]).unique()
        loss = loss + TEACHER_WEIGHT * _mean(taught(read[known], facts[stated], facts[among]))
        differ = truth[pairs] & ~truth[TEXTS:]  # where the text is true and, turned round, false
        some = differ.any(1)
        if bool(some.any()):
            window = _one_each(differ[some], draw)
            loss = loss + turned_loss(series[window], read[pairs[some]], read[TEXTS:][some], temperature).mean()
        if voice is not None and alignment.voice_weight:
            loss = loss + alignment.voice_weight * voice_loss(voice, _at_slots(spoken, corpus.place)).mean()
        learner.step(loss)
        job.advance(1)


def taught(students: Tensor, teachers: Tensor, others: Tensor) -> Tensor:
    """How far the students stand to the others as their teachers do: the Kullback-Leibler divergence (n,), at least 0.

    Both stand to the others by the softmax of their cosines over `TEACHER_TEMPERATURE`.

    Parameters
    ----------
    students, teachers, others
        Unit vectors (n, E), (n, E) and (m, E).

    Examples
    --------
    >>> one, other = torch.eye(2).split(1)
    >>> taught(one, one, torch.eye(2)).item() < 1e-6 < 1 < taught(one, other, torch.eye(2)).item()
    True
    """
    wanted = (teachers @ others.T / TEACHER_TEMPERATURE).log_softmax(1)
    found = (students @ others.T / TEACHER_TEMPERATURE).log_softmax(1)
    return (wanted.exp() * (wanted - found)).sum(1)


@torch.no_grad()
def _by_statistics(module: AlignModule, corpus: _Stated) -> Tensor:
    """Unit vectors (n, E) of the windows of the corpus, by their statistics."""
    module.enter(corpus.number)
    assert module.model.statistics is not None
    module.model.statistics.eval()
    every = torch.arange(len(corpus.rows), device=corpus.slots.device).split(_AT_ONCE)
    vectors = torch.cat([corpus.series(module, windows) for windows in every])
    module.model.statistics.train()
    return vectors


@torch.no_grad()
def _embedded(module: AlignModule, corpus: _Stated, dataset: CorpusDataset) -> Tensor:
    """Unit vectors (n, E) of the windows of the corpus, as the model embeds them."""
    module.enter(corpus.number)
    module.eval()
    parts = []
    for start in range(0, len(corpus.rows), _AT_ONCE):
        batch = dataset[corpus.rows[start : start + _AT_ONCE].tolist()].to(corpus.slots.device)
        parts.append(module.model.embed_series(batch, corpus.slots).float())
    return torch.cat(parts)


def _fit_facts(corpus: _Stated, every: Tensor, draw: np.random.Generator, job: JobProgress) -> None:
    """Bring the facts of the corpus near the windows `every` (n, E) that they are true of."""
    numbers = corpus.bank.examples[: len(corpus.facts)]
    with torch.no_grad():
        for part in torch.arange(len(numbers)).split(FACTS):
            truth = corpus.truth(numbers[part.numpy()], torch.arange(len(every), device=every.device)).float()
            centre = truth @ every / truth.sum(1, keepdim=True).clamp(min=1) - every.mean(0)
            own = F.normalize(centre, dim=1).unflatten(1, corpus.facts.own.shape[1:])
            corpus.facts.own[part.to(own.device)] = own
    optimizer = torch.optim.Adam([corpus.facts.own], lr=FITTED_RATE)
    for _ in range(FITTED_STEPS):
        windows = _some(len(every), WINDOWS, draw).to(every.device)
        facts = _some(len(corpus.facts), TEACHERS, draw)
        vectors = corpus.facts(facts.to(windows.device))
        truth = corpus.truth(numbers[facts.numpy()], windows)
        loss = multi_positive_info_nce(vectors @ every[windows].T / FITTED_TEMPERATURE, truth, ~truth).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        job.advance(1)
    optimizer.zero_grad(set_to_none=True)


def _one_each(differ: Tensor, draw: np.random.Generator) -> Tensor:
    """For each row of `differ` (m, n) one of the places where it is true, at random."""
    count = differ.sum(1)
    wanted = (torch.from_numpy(draw.random(len(differ))).to(count.device) * count).long() + 1
    return (differ.cumsum(1) >= wanted.unsqueeze(1)).int().argmax(1)


def _chosen(corpora: list[_Stated], draw: np.random.Generator) -> _Stated:
    """One of the corpora, by the number of windows that are held of them."""
    sizes = np.array([len(corpus.rows) for corpus in corpora], dtype=np.float64)
    return corpora[int(draw.choice(len(corpora), p=sizes / sizes.sum()))]


def _some(size: int, most: int, draw: np.random.Generator) -> Tensor:
    """Different places below `size`: all of them, or `most` at random."""
    if size <= most:
        return torch.arange(size)
    return torch.from_numpy(np.sort(draw.permutation(size)[:most]))


def _mean(losses: Tensor) -> Tensor:
    return losses.sum() / max(len(losses), 1)
