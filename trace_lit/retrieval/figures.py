"""Pictures of retrieval: similarities of a pool, retrieved examples, the answer to one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.figures import (
    COLUMN,
    GAP,
    GREY,
    INK,
    MARGIN,
    ROW,
    TEXT_SIZE,
    Column,
    Page,
    RowStyle,
    Window,
    clock,
    corpus_window,
    draw_window,
    height_of,
    limits,
    shortened,
    shown,
    window_columns,
    with_gaps,
    wrapped,
)
from data_modules.window_table import find_channel
from trace_lit.channels import Channel
from trace_lit.retrieval.explanation import Contribution, Explanation, rounded
from trace_lit.retrieval.pool import Pool, RetrievalError
from trace_lit.retrieval.questions import CUTOFF, Answer
from trace_lit.retrieval.retriever import Hit

PAIR, LABEL = "#2f855a", "#2b6cb0"  # a hit is the query's pair, or of its label
RIGHT, WRONG = "#2f855a", "#c53030"  # a hit fits the question's rule, or does not
ACROSS = 5  # hits of a question beside one another


def similarity_matrix(pool: Pool, label_names: Sequence[str] = (), size: int = 64, seed: int = 0) -> Figure:
    """The scores of up to `size` texts with their series, sorted by label; pairs stand on the outlined diagonal.

    Parameters
    ----------
    label_names
        What the numbers in `pool.label` stand for.
    seed
        Chooses the texts: with the same seed and pool, the same.

    Raises
    ------
    RetrievalError
        No instance has a text.
    """
    rows = _sample(pool, size, seed)
    rows = rows[torch.sort(pool.label[rows], stable=True).indices]
    scores = (pool.text[rows] @ pool.series[rows].T).numpy()
    count = len(rows)
    figure = Figure(figsize=(7.4, 6.6), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores, cmap="magma", interpolation="nearest", vmin=scores.min(), vmax=scores.max())
    cells = [Rectangle((n - 0.5, n - 0.5), 1, 1) for n in range(count)]
    axes.add_collection(PatchCollection(cells, facecolor="none", edgecolor="#00e5ff", linewidth=min(1.5, 40 / count)))
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("score (cosine)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    _group_by_label(axes, pool.label[rows].numpy(), label_names)
    axes.set_xlabel("series", fontsize=9)
    axes.set_ylabel("text", fontsize=9)
    pairs, others = np.diag(scores).mean(), scores[~np.eye(count, dtype=bool)]
    title = f"Texts and series, {count} of {int(pool.has_text.sum())} pairs: mean score {pairs:.2f} on the diagonal"
    axes.set_title(title + (f", {others.mean():.2f} elsewhere" if count > 1 else ""), fontsize=10, loc="left", pad=10)
    return figure


def retrieved_examples(
    pool: Pool, corpus: Corpus, rows: NDArray[np.int64], count: int = 3, top: int = 3, seed: int = 0
) -> Figure:
    """A page of `count` texts, each with its own series and the `top` series that it finds.

    Parameters
    ----------
    rows
        The corpus row of each index of the pool.
    seed
        Chooses the texts: with the same seed and pool, the same.

    Raises
    ------
    RetrievalError
        No instance has a text.
    """
    chosen = _sample(pool, count, seed)
    values, channels = corpus.values(), corpus.info.channels
    top = min(top, len(pool))
    width = MARGIN + (1 + top) * (COLUMN + GAP)
    questions = [wrapped(corpus.texts[int(rows[pool.index[n]])], width - MARGIN - GAP, 8.5, 5) for n in chosen]
    heights = [height_of(text, 8.5) + 0.95 + len(channels) * ROW for text in questions]
    page = Page(width, sum(heights) + 0.35)
    y = 0.2
    for n, question, height in zip(chosen.tolist(), questions, heights, strict=True):
        page.panel(MARGIN, y, width - MARGIN - GAP, height_of(question, 8.5) + 0.1)
        page.write(MARGIN + 0.08, y + 0.05, question, size=8.5)
        below = y + height_of(question, 8.5) + 0.18
        scores = pool.series @ pool.text[n]
        found = scores.topk(top).indices.tolist()
        place = 1 + int((scores > scores[n]).sum())
        windows = [corpus_window(corpus, int(rows[pool.index[m]]), values) for m in [n, *found]]
        bounds = limits([window.values for window in windows])
        for column, (m, window) in enumerate(zip([n, *found], windows, strict=True)):
            x = MARGIN + column * (COLUMN + GAP)
            if column == 0:
                title, colour = f"its own series: place {place:,} of {len(pool):,}", INK
            else:
                title, colour = _judged(pool, n, m, column)
            page.write(x, below, title, size=8.5, colour=colour, weight="bold")
            label = int(corpus.labels[rows[pool.index[m]]])
            details = f"score {scores[m]:.2f}" + (f", {corpus.info.label_names[label]}" if label >= 0 else "")
            page.write(x, below + 0.155, shortened(details, COLUMN, TEXT_SIZE), size=TEXT_SIZE, colour=GREY)
            draw_window(page, x, below + 0.36, window, channels, bounds, named=column == 0, colour=colour)
        y += height
    if corpus.info.generated:
        page.label_generated()
    return page.figure


def search_results(question: str | Window, hits: Sequence[Hit], corpus: Corpus) -> Figure:
    """A question, in words or as a series of the corpus's channels, and its hits: a column each, a row a channel.

    Of explained hits, the channels that the question speaks of are lit up and the others pale; above each stands what it
    adds to the score, with ▲ in green where it fits better than half of the searched windows and with ▼ in red where it does
    not.

    Raises
    ------
    RetrievalError
        There are no hits.
    """
    if not hits:
        raise RetrievalError("there are no hits to draw")
    values = corpus.values()
    columns = []
    if not isinstance(question, str):
        columns.append(Column(replace(question, title="the question"), question.title, colour=LABEL))
    texts = with_gaps([hit.text for hit in hits])
    for number, (hit, text) in enumerate(zip(hits, texts, strict=True), start=1):
        window = replace(corpus_window(corpus, hit.row, values), title=f"{number}.  score {hit.score:.3f}")
        label = ", ".join(filter(None, [hit.label, clock(np.datetime64(hit.start, "s"))]))
        rows: tuple[RowStyle, ...] = ()
        if hit.explanation is not None:
            whole = hit.explanation.channels[0]
            added = [f"{whole.name} {rounded(whole.score)}", *(_clause_line(own) for own in hit.explanation.clauses)]
            window = replace(window, text="\n".join([*added, text]))
            rows = row_styles(hit.explanation, corpus.info.channels)
        columns.append(Column(window, hit.id, label, rows=rows))
    heading = question if isinstance(question, str) else ""
    return window_columns(columns, corpus.info.channels, heading, generated=corpus.info.generated)


def row_styles(explanation: Explanation, channels: Sequence[Channel]) -> tuple[RowStyle, ...]:
    """How the channels of an explained hit are drawn; none where the score is of the whole alone."""
    found = {own.name: (own, lit) for own, lit in zip(explanation.channels, explanation.spoken_of, strict=True)}
    if not all(channel.key in found for channel in channels):
        return ()
    alike = all(found[channel.key][1] for channel in channels)  # nothing stands out
    styles = []
    for channel in channels:
        own, lit = found[channel.key]
        note, colour = rounded(own.score), GREY
        if lit and own.beats is not None:  # a mark, too, for those who do not tell the colours apart
            note, colour = (f"▲ {note}", RIGHT) if own.fits else (f"▼ {note}", WRONG)
        styles.append(RowStyle(note, colour, None if alike else lit))
    return tuple(styles)


def _clause_line(own: Contribution) -> str:
    return f"{'+' if own.fits else '−'} “{own.name}” {rounded(own.score)}"


def question_hits(
    answers: Sequence[Answer],
    corpus: Corpus,
    rows: NDArray[np.int64],
    explanations: Sequence[Sequence[Explanation]] = (),
) -> Figure:
    """The first hits of each question's first wording, right ones and wrong ones, by the channels that its rule speaks of.

    Parameters
    ----------
    rows
        The corpus row of each window of the searched pool.
    explanations
        Of each answer, why these hits have their scores: drawn as in `search_results`.

    Raises
    ------
    RetrievalError
        There are no answers.
    """
    if not answers:
        raise RetrievalError("no question could be decided: there is nothing to draw")
    values = corpus.values()
    width = MARGIN + ACROSS * (COLUMN + GAP)
    shown_channels = [
        sorted({find_channel(name, corpus.info.channels) for name in answer.question.rule.channels})
        for answer in answers
    ]
    lines = -(-min(CUTOFF, len(rows)) // ACROSS)
    heights = [0.85 + lines * (0.72 + ROW * len(places)) for places in shown_channels]
    page = Page(width, sum(heights) + 0.3)
    y = 0.2
    reasons = explanations or [()] * len(answers)
    for answer, places, height, why in zip(answers, shown_channels, heights, reasons, strict=True):
        _question_heading(page, y, width, answer)
        windows = [corpus_window(corpus, int(rows[place]), values) for place in answer.first[0]]
        windows = [replace(window, values=window.values[places]) for window in windows]
        bounds = limits([window.values for window in windows])
        channels = [corpus.info.channels[place] for place in places]
        for number, (place, window) in enumerate(zip(answer.first[0], windows, strict=True)):
            x = MARGIN + number % ACROSS * (COLUMN + GAP)
            below = y + 0.72 + number // ACROSS * (0.72 + ROW * len(places))
            fits = bool(answer.truth[place])
            colour = RIGHT if fits else WRONG
            page.write(x, below, f"{number + 1}.  {'✓' if fits else '✗'}", size=9, colour=colour, weight="bold")
            details = f"{window.title}, {clock(np.datetime64(window.times[0], 's'))}"
            page.write(
                x + 0.55, below + 0.02, shortened(details, COLUMN - 0.55, TEXT_SIZE), size=TEXT_SIZE, colour=GREY
            )
            styles = row_styles(why[number], channels) if why else ()
            draw_window(page, x, below + 0.3, window, channels, bounds, number % ACROSS == 0, colour, rows=styles)
        y += height
    if corpus.info.generated:
        page.label_generated()
    return page.figure


def _question_heading(page: Page, y: float, width: float, answer: Answer) -> None:
    """The wording, how many of its first hits fit, and the rule that decides."""
    page.panel(MARGIN, y, width - MARGIN - GAP, 0.55)
    right = int(answer.truth[answer.first[0]].sum())
    score = f"{right} of {answer.first.shape[1]} fit; {answer.share:.0%} of the pool do"
    page.write(MARGIN + 0.1, y + 0.06, f"“{answer.question.wordings[0]}”    {score}", size=10.5, weight="bold")
    rule = shortened(str(answer.question.rule), width - MARGIN - GAP - 0.2, 8.5)
    page.write(MARGIN + 0.1, y + 0.31, f"{answer.question.kind}: {rule}", size=8.5, colour=GREY)


def _sample(pool: Pool, size: int, seed: int) -> torch.Tensor:
    """Up to `size` rows of the pool with different texts, in their order."""
    asking = pool.has_text.nonzero().squeeze(1)
    if not len(asking):
        raise RetrievalError("no instance has a text: there is nothing to draw")
    shuffled = asking[torch.randperm(len(asking), generator=torch.Generator().manual_seed(seed))]
    _, first = np.unique(pool.text_id[shuffled].numpy(), return_index=True)
    return shuffled[np.sort(first)[:size]].sort().values


def _group_by_label(axes: Axes, labels: NDArray[np.int64], names: Sequence[str]) -> None:
    """Lines between the labels of a sorted matrix and their names at its edges."""
    axes.tick_params(labelsize=8, length=0)
    starts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
    if len(starts) == 1 and labels[0] < 0:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for start in starts[1:]:
        axes.axhline(start - 0.5, color="white", linewidth=0.8)
        axes.axvline(start - 0.5, color="white", linewidth=0.8)
    centres = (starts + np.append(starts[1:], len(labels)) - 1) / 2
    found = [names[label] if 0 <= label < len(names) else "no label" if label < 0 else str(label)
             for label in labels[starts]]  # fmt: skip
    ticks = [shown(name if len(name) <= 24 else f"{name[:23]}…") for name in found]
    axes.set_xticks(centres, ticks, rotation=40, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(centres, ticks, parse_math=False)


def _judged(pool: Pool, query: int, found: int, place: int) -> tuple[str, str]:
    """The title of a hit, with a mark for what it has in common with the query, and its colour."""
    if pool.has_text[found] and pool.text_id[found] == pool.text_id[query]:
        return f"{place}.  ✓ pair", PAIR
    if pool.label[query] >= 0 and pool.label[found] == pool.label[query]:
        return f"{place}.  ✓ label", LABEL
    return f"{place}.", GREY
