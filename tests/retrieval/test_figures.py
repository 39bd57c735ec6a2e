"""The pictures hold what they should, for awkward corpora too."""

import warnings
from dataclasses import replace
from io import BytesIO

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb

from data_modules.figures import LIT, Window, corpus_window, save_figure
from data_modules.rules import WindowTable, compare
from trace_lit.batch import NO_LABEL
from trace_lit.config import ConfigError
from trace_lit.retrieval import Contribution, Explanation, RetrievalError, Retriever
from trace_lit.retrieval.explanation import WHOLE
from trace_lit.retrieval.figures import (
    question_hits,
    retrieved_examples,
    search_results,
    similarity_matrix,
)
from trace_lit.retrieval.questions import Answer, Question


def texts(figure) -> str:
    """All that is written on a figure, which is drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(BytesIO(), format="png", dpi=40)
    return "\n".join(
        [text.get_text() for text in figure.texts]
        + [text.get_text() for axes in figure.axes for text in [*axes.texts, axes.xaxis.label, axes.yaxis.label]]
    )


@pytest.fixture
def hits(pool, corpus, rows):
    return Retriever.of_pools(torch.nn.Module(), corpus, [(rows, pool)]).by_id("site_3", 3)


def test_the_matrix_holds_the_scores_sorted_by_label(pool):
    figure = similarity_matrix(pool, ("calm", "storm"))
    axes = figure.axes[0]
    rows = [n for label in (NO_LABEL, 0, 1) for n in range(10) if pool.label[n] == label and pool.has_text[n]]
    assert np.allclose(axes.images[0].get_array(), (pool.text[rows] @ pool.series[rows].T).numpy(), atol=1e-6)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["no label", "calm", "storm"]
    assert "9 of 9 pairs" in axes.get_title(loc="left")


def test_the_matrix_of_many_is_a_sample_without_equal_texts(pool):
    pool.text_id[:] = torch.arange(10) // 2
    assert similarity_matrix(pool, size=64).axes[0].images[0].get_array().shape == (5, 5)
    assert similarity_matrix(pool, size=3).axes[0].images[0].get_array().shape == (3, 3)
    pool.label[:] = NO_LABEL
    texts(similarity_matrix(pool, size=1))


def test_examples_show_each_text_with_its_own_series_and_its_hits(pool, corpus, rows):
    pool.label[:] = torch.arange(10) % 3
    pool.has_text[7:] = False
    pool.text[:7] = pool.series[3:]  # a text finds the series of the same label three further on
    figure = retrieved_examples(pool, corpus, rows, count=2, top=3)
    assert len(figure.axes) == 2 * (1 + 3) * 2
    written = texts(figure)
    assert written.count("its own series") == 2
    assert written.count("1.  ✓ label") == 2
    assert "$5 to $6" in written
    pool.text[:] = pool.series  # and now its own
    assert texts(retrieved_examples(pool, corpus, rows, count=2, top=1)).count("✓ pair") == 2
    assert "place 1 of 10" in texts(retrieved_examples(pool, corpus, rows, count=1, top=50))


def test_search_results_show_question_and_hits(hits, corpus):
    written = texts(search_results("a calm sea at $5, 强风", hits, corpus))
    assert "a calm sea at $5, □□" in written
    for hit in hits:
        label = f"{hit.label}, " if hit.label else ""
        assert f"\n{hit.id}\n{label}2020-01-{hit.start.day:02d}\n" in written
        assert f"score {hit.score:.3f}" in written
    assert "m/s" in written
    figure = search_results(corpus_window(corpus, 3), hits, corpus)
    assert len(figure.axes) == (1 + len(hits)) * 2
    assert "the question" in texts(figure)


def test_texts_are_left_out_where_no_hit_has_one(hits, corpus):
    silent = [replace(hit, text="") for hit in hits]
    assert "no text" in texts(search_results("calm", explained_hits([hits[0], *silent[1:]], corpus, (1, 0, 0)), corpus))
    assert "no text" not in texts(search_results("calm", explained_hits(silent, corpus, (1, 0, 0)), corpus))


def test_an_id_stands_as_it_is(hits, corpus):
    (named,) = [replace(hit, id="weather-PORT-AMITY-20240716T1100") for hit in hits[:1]]
    assert f"\n{named.id}\n" in texts(search_results("calm", [named], corpus))


def explained_hits(hits, corpus, weights):
    """The hits with an explanation each: the first channel fits the question, the second does not."""
    scores = (0.1, 0.345, -0.045)
    names = (WHOLE, *(channel.key for channel in corpus.info.channels))
    channels = tuple(map(Contribution, names, scores, weights, (0.9, 0.8, 0.1)))
    why = Explanation(channels, (Contribution("calm, $5", 0.4, 1.0, 0.7),), ((0.1, 0.345, -0.045),))
    return [replace(hit, explanation=why) for hit in hits]


def test_channels_that_a_question_speaks_of_are_lit_up(hits, corpus):
    figure = search_results("a calm sea", explained_hits(hits, corpus, (0.1, 0.8, 0.1)), corpus)
    written = texts(figure)
    for words in ("whole window 0.100", "▲ 0.345", "-0.045", "+ “calm, $5” 0.400"):
        assert written.count(words) == len(hits)
    for spoken, silent in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert to_hex(spoken.get_facecolor()) == LIT
        assert to_hex(silent.get_facecolor()) == "#ffffff"
        assert spoken.lines[0].get_linewidth() > silent.lines[0].get_linewidth()
        assert min(to_rgb(silent.lines[0].get_color())) > 0.6
    alike = search_results("a calm sea", explained_hits(hits, corpus, (0.3, 0.4, 0.3)), corpus)
    assert {to_hex(axes.get_facecolor()) for axes in alike.axes} == {"#ffffff"}


def test_missing_values_are_gaps_and_lone_values_are_seen(hits, corpus):
    figure = search_results(corpus_window(corpus, 4), hits, corpus)
    line, dots = figure.axes[0].lines
    assert np.isnan(line.get_ydata()[[4, 8, 10]]).all()
    assert list(dots.get_ydata()) == [corpus.values()[4][0, 9]]
    assert "no values" in texts(figure)


def test_a_channel_has_one_scale_in_all_columns(hits, corpus):
    axes = search_results("text", hits, corpus).axes
    for channel in range(2):
        limits = {axes[2 * column + channel].get_ylim() for column in range(3)}
        assert len(limits) == 1
        low, high = limits.pop()
        for hit in hits:
            values = corpus.values()[hit.row][channel]
            assert (np.isnan(values) | ((values > low) & (values < high))).all()


def test_a_question_may_have_another_length_and_no_times(hits, corpus):
    for steps in (1, 7):
        window = Window("question.csv", np.arange(steps), np.ones((2, steps)))
        assert "question.csv" in texts(search_results(window, hits, corpus))


def test_an_empty_figure_is_refused(pool, corpus):
    with pytest.raises(RetrievalError, match="no hits"):
        search_results("text", [], corpus)
    pool.has_text[:] = False
    with pytest.raises(RetrievalError, match="no instance has a text"):
        similarity_matrix(pool)


def test_a_picture_is_whole_or_not_there(pool, tmp_path, monkeypatch):
    figure, path = similarity_matrix(pool), tmp_path / "deep" / "matrix.png"
    save_figure(figure, path)
    assert matplotlib.image.imread(path).shape[2] == 4
    with pytest.raises(ConfigError, match="ends in one of"):
        save_figure(figure, tmp_path / "matrix.xyz")

    def fail(target, **_):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(figure, tmp_path / "other.png")
    assert [file.name for file in tmp_path.iterdir() if file.name != "corpus"] == ["deep"]


def test_the_hits_of_a_question_are_marked(corpus, rows):
    rule = compare("level", "gaps", above=0.5) | compare("channel with a rather long name", "mean", above=1000)
    asked = Question("silent", "level", ("no level, costs $5", "silent"), rule, "development")
    table = WindowTable.of(corpus, rows)
    truth = rule.holds(table)
    first = np.array([[0, 1, 2], [3, 4, 5]])
    answer = Answer(asked, truth, np.array([0.3, 0.0]), np.array([0.3, 0.1]), first)
    message = texts(question_hits([answer, answer], corpus, rows))
    assert message.count("“no level, costs $5”    1 of 3 fit; 30% of the pool do") == 2
    assert "level: gaps of level above 0.5 or mean of channel with" in message
    assert "1.  ✓" in message
    assert "2.  ✗" in message
    assert "site_0, 2020-01-01" in message
    with pytest.raises(RetrievalError, match="nothing to draw"):
        question_hits([], corpus, rows)


def test_what_the_channels_add_stands_above_a_question_s_hits(hits, corpus, rows):
    rule = compare("level", "gaps", above=0.5)
    asked = Question("silent", "level", ("no level",), rule, "development")
    answer = Answer(
        asked, rule.holds(WindowTable.of(corpus, rows)), np.array([0.3]), np.array([0.3]), np.array([[0, 1]])
    )
    why = [hit.explanation for hit in explained_hits(hits[:2], corpus, (0.1, 0.8, 0.1))]
    said = texts(question_hits([answer], corpus, rows, [why]))
    assert said.count("-0.045") == 2
    assert "0.345" not in said
