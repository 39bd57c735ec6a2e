"""Questions read clause by clause, and taken apart."""

import numpy as np
import pytest
import torch

from tests.alignment.test_reading import CHANNELS, TEXT_WIDTH, make_model
from tests.batches import make_batch
from trace_lit.alignment import SearchSpace
from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.inference.question_reader import QuestionReader, names_of
from trace_lit.inference.search import explanation_lines
from trace_lit.retrieval.explanation import explain
from trace_lit.text import TextEncoder, TokenTexts
from trace_lit.text.channel_names import ChannelNames

NAMES = ("warm", "pressure", "winds")  # by which a text speaks of each of `CHANNELS`
LOUD = 10.0


class Words(TextEncoder):
    """A token a word, with the space before it; a channel's name is loud in the channel's own direction."""

    dim, fingerprint = TEXT_WIDTH, "words"

    def encode_batches(self, texts):
        raise AssertionError

    def tokens(self, texts, kind="document"):
        table, rows, spans = [], [], []
        for text in texts:
            ends = [at for at, sign in enumerate(text + " ") if sign == " "]
            found = list(zip([0, *ends[:-1]], ends, strict=True))
            rows.append(np.arange(len(table), len(table) + len(found)))
            spans.append(np.array(found, dtype=np.int64).reshape(-1, 2))
            for start, end in found:
                word = text[start:end].strip().strip(".,").lower()
                vector = np.random.default_rng([ord(sign) for sign in word]).standard_normal(TEXT_WIDTH)
                vector[: len(NAMES)] = [LOUD * (word == name) for name in NAMES]
                table.append(vector)
        return TokenTexts(np.array(table, np.float32).reshape(-1, TEXT_WIDTH), rows, spans)


def voice(space, text, mask):
    return (text[..., : len(NAMES)] * mask.unsqueeze(-1) >= LOUD).any(1).float()


def reader(space: SearchSpace) -> QuestionReader:
    return QuestionReader(space, Words(), "token")


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> SearchSpace:
    monkeypatch.setattr(SearchSpace, "voice", voice)
    return SearchSpace(make_model(), CHANNELS)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("warm, but with low pressure", ("warm", "but with low pressure")),
        ("a warm day while pressure fell, then no winds", ("a warm day", "while pressure fell", "then no winds")),
        ("pressure rose and then fell", None),  # of one channel
        ("show me a day, warm and calm", None),  # one clause speaks of a channel, the others of none
        (
            "find days, quiet ones, warm and with falling pressure",
            ("find days, quiet ones, warm", "and with falling pressure"),
        ),
        ("Warm at first. The pressure fell, and winds rose.", None),  # sentences are read alone already
        ("", None),
    ],
)
def test_clauses_of_different_channels_are_parted(space: SearchSpace, question: str, parts: tuple[str, ...] | None):
    assert reader(space).parts([question, question]) == [(question, *(parts or ()))] * 2


def test_a_clause_without_a_subject_is_about_the_channel_before(space, monkeypatch):
    def somehow(space, text, mask):  # what speaks of no channel by itself seems to speak of the winds
        said = voice(space, text, mask)
        said[:, 2] = torch.maximum(said[:, 2], 1 - said.amax(1))
        return said

    monkeypatch.setattr(SearchSpace, "voice", somehow)
    questions = ["pressure fell, then rose again", "pressure fell, then winds rose"]
    assert reader(space).parts(questions) == [
        ("pressure fell, then rose again",),
        ("pressure fell, then winds rose", "pressure fell", "then winds rose"),
    ]


def test_half_a_character_is_refused(space):
    with pytest.raises(ConfigError, match=r"'fog \\udcff' has half a character"):
        reader(space).vectors(["fog", "fog \udcff"])


def test_the_whole_and_its_parts_count_alike_whatever_else_is_asked(
    space: SearchSpace, monkeypatch: pytest.MonkeyPatch
):
    own = reader(space)
    question = "warm, but with low pressure"
    vectors = own.vectors([question, "warm", "but with low pressure", "calm"])
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    monkeypatch.setattr(SearchSpace, "voice", lambda space, text, mask: torch.zeros(len(text), 3))
    whole = own.vectors([question])[0]
    torch.testing.assert_close(vectors[0], torch.nn.functional.normalize(whole + vectors[1] + vectors[2], dim=0))
    monkeypatch.setattr(SearchSpace, "voice", voice)
    torch.testing.assert_close(own.vectors([question])[0], vectors[0])
    assert own.vectors([]).shape == (0, 4 * 32)


def test_a_model_that_is_never_silent_reads_questions_as_wholes():
    space = SearchSpace(make_model(silence=False), CHANNELS)
    assert reader(space).parts(["warm, but with low pressure"]) == [("warm, but with low pressure",)]


@pytest.mark.parametrize("question", ["warm, but with low pressure", "winds rose, then fell", "pressure"])
def test_what_clauses_and_channels_add_sums_to_the_score(space: SearchSpace, question: str):
    own = reader(space)
    series = space.embed_series(make_batch()).detach()
    parts = own.taken_apart(question)
    expected = own.vectors([question])[0]
    np.testing.assert_allclose(parts.vectors.sum(0).ravel(), expected.numpy(), atol=1e-5)
    for found, score in zip(explain(parts, series.numpy(), range(6)), (series @ expected).tolist(), strict=True):
        assert sum(clause.score for clause in found.clauses) == pytest.approx(score, abs=1e-5)
        assert sum(channel.score for channel in found.channels) == pytest.approx(score, abs=1e-5)


def test_a_question_about_the_wind_gives_its_weight_to_the_wind(monkeypatch: pytest.MonkeyPatch):
    model = make_model()
    voice = torch.tensor([0.1, 0.0, 0.2, 0.9])  # of the whole, temperature, pressure and wind

    def attend(pieces, mask, identities, match):
        weights = mask / mask.sum(1, keepdim=True)
        return weights[:, None, None].expand(-1, 4, 4, -1), voice.expand(len(mask), -1)

    monkeypatch.setattr(model.text, "_attend", attend)
    space = SearchSpace(model, CHANNELS)
    series = space.embed_series(make_batch()).detach().numpy()
    parts = reader(space).taken_apart("strong winds, all day long")
    found = explain(parts, series, range(6))
    for own in found:
        assert [channel.weight for channel in own.channels] == pytest.approx((voice**2 / (voice**2).sum()).tolist())
        assert own.spoken_of == (False, False, False, True)
        assert own.channels[1].score == 0
    best = max(found, key=lambda own: own.channels[3].score)
    lines = explanation_lines(best)
    assert lines[0].startswith("+ wind speed [m/s]: ")
    assert "better than 83% of the windows (94% of the query)" in lines[0]
    assert lines[0].endswith(("most by “strong winds”", "most by “all day long”"))
    assert lines[1].startswith("  3 others, with little of the query: ")
    assert [line[2:].split(":")[0] for line in lines[2:]] == ["“strong winds”", "“all day long”"]


def test_long_texts_are_read_a_few_at_a_time_and_alike(space, monkeypatch):
    texts = ["warm " * 30 + "day", "fog", "no winds", "a calm " * 9 + "day", "fog", "low pressure, warm, then no winds"]
    together, apart = reader(space).vectors(texts), reader(space).taken_apart(texts[-1])
    monkeypatch.setattr("trace_lit.inference.question_reader._AT_ONCE", 8)
    monkeypatch.setattr("trace_lit.alignment.search_space._PIECES_AT_ONCE", 8)
    read, sizes = SearchSpace.embed_text, []

    def watched(space, text, mask):
        sizes.append((len(mask), mask.shape[1]))
        return read(space, text, mask)

    monkeypatch.setattr(SearchSpace, "embed_text", watched)
    torch.testing.assert_close(reader(space).vectors(texts), together)
    assert len(sizes) > 3
    assert all(many == 1 or many * pieces <= 8 for many, pieces in sizes)
    np.testing.assert_allclose(reader(space).taken_apart(texts[-1]).vectors, apart.vectors, atol=1e-5)


def test_a_channel_of_which_another_shares_more_words_is_silent(space: SearchSpace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "trace_lit.inference.question_reader.names_of", lambda _: ChannelNames(["wind A1", "wind A2", "rain"])
    )
    own = reader(space)
    both, first, coded = own.vectors(["wind", "the wind at A", "the wind of A1 fell"]).view(3, 4, -1).norm(dim=-1)
    assert both.min() > 0
    assert first.min() > 0
    assert coded[[0, 1]].min() > 0  # of the whole and of A1
    assert coded[[2, 3]].max() == 0
    assert own.parts(["the wind of A1 fell, and that of A2 rose"])[0][1:] == (
        "the wind of A1 fell",
        "and that of A2 rose",
    )
    parts = own.taken_apart("the wind of A1 fell, and then it rose")
    assert parts.clauses == ("the wind of A1 fell", "and then it rose")  # in the user's own words
    np.testing.assert_allclose(
        parts.vectors.sum(0).ravel(), own.vectors(["the wind of A1 fell, and then it rose"])[0].numpy(), atol=1e-5
    )


@pytest.mark.parametrize(
    ("names", "text", "meant"),
    [
        (("influenza deaths", "pneumonia deaths", "all deaths"), "lots of flu deaths", (True, False, False)),
        (("wind speed", "eastward wind", "northward wind"), "a north wind", (True, True, True)),
        (("wind", "eastward wind", "northward wind"), "a north wind", (True, True, True)),
        (("wind speed", "eastward wind", "northward wind"), "the wind speed", (True, False, False)),
        (("wind speed", "wind u", "wind v"), "wind u rose", (False, True, False)),
    ],
)
def test_everyday_words_tell_channels_apart_but_not_the_components_of_a_wind(names, text, meant):
    channels = tuple(Channel(name, "deaths" if "deaths" in name else "m/s") for name in names)
    assert names_of(channels).named(text).meant == meant
    assert names_of(channels) is names_of(channels)


def test_of_very_many_channels_their_own_names_are_enough(monkeypatch: pytest.MonkeyPatch):
    channels = tuple(Channel(name, "deaths") for name in ("influenza deaths", "malaria deaths"))
    names_of.cache_clear()
    assert names_of(channels).named("flu deaths").meant == (True, False)
    names_of.cache_clear()
    monkeypatch.setattr("trace_lit.inference.question_reader.MOST_EVERYDAY", 1)
    assert names_of(channels).named("flu deaths").meant == (True, True)
    names_of.cache_clear()
