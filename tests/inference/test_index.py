"""Properties of an index that is kept: it answers as the corpus itself does, and stays so while the corpus changes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import trace_lit
from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from data_modules.blocks import CorpusBlocks
from data_modules.vocabulary import usual_values
from tests.conftest import TinyRuns
from tests.processes import other_process
from trace_lit.cli import main
from trace_lit.config import ConfigError
from trace_lit.holding import holder_in_words
from trace_lit.inference import AlignedRun, Index, embed_parts, index_update, parts, space
from trace_lit.inference.index_build import build_index
from trace_lit.inference.index_files import IndexFile
from trace_lit.inference.index_search import ranked
from trace_lit.retrieval import Filter, RetrievalError
from trace_lit.service import Served
from trace_lit.service.kept import IndexSearch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tiny_runs: TinyRuns) -> AlignedRun:
    run = trace_lit.load(tiny_runs.aligned)
    assert isinstance(run, AlignedRun)
    return run


@pytest.fixture(scope="module")
def built(model: AlignedRun, tiny_runs: TinyRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("indexes") / "weather"
    Index.build(model, tiny_runs.corpus, out, width=32).close()
    return out


@pytest.fixture(scope="module")
def index(built: Path) -> Iterator[Index]:
    with Index.open(built) as opened:
        yield opened


def same_answers(hits, others) -> None:
    assert [hit.id for hit in hits] == [hit.id for hit in others]
    assert np.allclose([hit.score for hit in hits], [hit.score for hit in others], atol=1e-5)
    assert hits.searched == others.searched


def records(corpus: Corpus, rows: range) -> list[Record]:
    """Rows of a corpus, to write another one."""
    values, table = corpus.values(), corpus.table().to_pylist()
    return [
        Record(
            id=table[row]["id"],
            series_id=table[row]["series_id"],
            start=table[row]["start"],
            values=values[row],
            text=table[row]["text"],
            channel_texts=table[row]["channel_texts"],
            label=table[row]["label"],
            split=table[row]["split"],
        )
        for row in rows
    ]


def test_an_index_answers_as_the_corpus_does(model, index, tiny_runs):
    corpus = Corpus.load(tiny_runs.corpus)
    frame = pd.DataFrame(corpus.values()[7].T, columns=[channel.key for channel in corpus.info.channels])
    for question in ({"text": "a storm with heavy rain"}, {"like": corpus.ids[3]}, {"series": frame}):
        plain = model.search(**question, corpus=corpus, top=8)
        same_answers(index.search(**question, top=8, within="series", model=model), plain)
        same_answers(model.search(**question, index=index, top=8), plain)
        assert [hit.as_dict() for hit in model.search(**question, index=index.place, top=1)] == [
            hit.as_dict() | {"score": pytest.approx(hit.score, abs=1e-5)} for hit in plain[:1]
        ]


def test_explanations_are_those_of_the_corpus(model, index, tiny_runs):
    plain = model.search("strong wind, and cold", corpus=tiny_runs.corpus, top=2, explain=True)
    kept = index.search("strong wind, and cold", top=2, explain=True, within="series", model=model)
    for one, other in zip(kept, plain, strict=True):
        assert one.explanation is not None
        assert other.explanation is not None
        assert one.explanation.columns() == pytest.approx(other.explanation.columns(), abs=1e-5)
        assert sum(own.score for own in one.explanation.channels) == pytest.approx(one.score, abs=1e-5)


def test_a_note_that_says_the_word_comes_first(model, index, tiny_runs):
    corpus = Corpus.load(tiny_runs.corpus)
    words = sorted({own for text in corpus.texts for own in text.casefold().split() if own.isalpha()})
    rare = next(own for own in words if sum(own in text.casefold().split() for text in corpus.texts) == 1)
    with_word = [name for name, text in zip(corpus.ids, corpus.texts, strict=True) if rare in text.casefold().split()]
    for within in ("both", "texts"):
        assert index.search(rare, top=3, within=within, model=model)[0].id in with_word
    assert len(index.search(rare, within="texts", model=model)) == 1


def all_are_found(model, index, corpus) -> None:
    """Where all admitted windows are hits, as many were searched: not the one asked about, be it admitted or not."""
    like = str(corpus.ids[0])
    elsewhere = next(split for split in ("train", "test") if split != corpus.splits[0])
    for question in ({"text": "rain"}, {"like": like}, {"like": like, "apart": True}):
        for filter in (Filter(), Filter(split=(str(corpus.splits[0]),)), Filter(split=(elsewhere,))):
            hits = index.search(**question, top=len(corpus), filter=filter, within="series", model=model)
            assert hits.searched == len(hits) > 0, (question, filter)


def test_as_many_windows_are_searched_as_may_be_hits(model, index, tiny_runs):
    corpus = Corpus.load(tiny_runs.corpus)
    all_are_found(model, index, corpus)
    for split in (None, "train"):
        hits = model.search(like=str(corpus.ids[corpus.splits == "train"][0]), corpus=corpus, split=split, top=999)
        assert hits.searched == len(hits) > 0


def test_filters_apart_and_diversity(model, index, tiny_runs):
    corpus = Corpus.load(tiny_runs.corpus)
    like = str(corpus.ids[0])
    hits = index.search(like=like, top=60, model=model, filter=Filter(split=("test",), with_text=True))
    assert {hit.split for hit in hits} == {"test"}
    assert all(hit.text for hit in hits)
    assert len(hits) == index.count(Filter(split=("test",), with_text=True)) - (corpus.splits[0] == "test")
    own = index.get(like)
    for hit in index.search(like=like, top=60, apart=True, model=model):
        assert hit.series != own.series or hit.end <= own.start or hit.start >= own.end
    alike = index.search(like=like, top=5, model=model)
    varied = index.search(like=like, top=5, diversity=0.9, model=model)

    def likeness(found):
        vectors = index.vectors([hit.id for hit in found])
        return (vectors @ vectors.T).mean()

    assert likeness(varied) < likeness(alike)
    with pytest.raises(ConfigError, match="apart"):
        index.search("rain", apart=True, model=model)


def test_what_an_index_is(index, model, tiny_runs):
    info = index.info
    assert info.rows == len(index) == 60
    assert (info.engine, info.kind, info.width) == ("faiss", "exact", 32)
    assert info.exact_width == 16 * (1 + len(info.channels))
    assert info.model == model.checksum
    assert info.run == tiny_runs.aligned.resolve()
    assert info.recall["series"] > 0.9
    assert info.corpora[0].fingerprint == Corpus.load(tiny_runs.corpus).fingerprint
    json.dumps(info.as_dict())
    hit = index.search("rain", top=1, model=model)[0]
    assert index.corpus(hit.corpus).ids[hit.row] == hit.id
    assert index.stale(model) == []


def test_adding_embeds_what_has_changed_and_forgets_what_is_gone(model, tiny_runs, tmp_path):
    whole = Corpus.load(tiny_runs.corpus)
    folder = tmp_path / "weather"
    write_corpus(records(whole, range(40)), whole.info, folder)
    with Index.build(model, folder, tmp_path / "index", width=32) as index:
        changed = records(whole, range(10, 60))
        changed[5].text = "A tornado."
        write_corpus(changed, whole.info, folder)
        assert "has changed" in index.stale(model)[0]
        with pytest.raises(RetrievalError, match="has changed"):
            index.corpus()
        assert index.add(folder, model=model) == 21
        assert index.stale(model) == []
        assert len(index) == 50
        assert index.add(folder, model=model) == 0
        assert index.search("tornado", within="texts", model=model)[0].id == changed[5].id
        plain = model.search("heavy rain", corpus=folder, top=50)
        same_answers(index.search("heavy rain", top=50, within="series", model=model), plain)
        assert [hit.row for hit in index.search("heavy rain", top=50, within="series", model=model)] == [
            hit.row for hit in plain
        ]
        other = next(own.id for own in changed if own.split == "train")
        assert index.delete([other], Filter(split=("test",))) == 1 + sum(own.split == "test" for own in changed)


def test_an_open_index_follows_what_other_processes_make_of_it(model, tiny_runs, tmp_path):
    """A service goes on while corpora grow, while others are added, and while the index is built anew."""
    whole, place = Corpus.load(tiny_runs.corpus), tmp_path / "index"
    one, two = tmp_path / "one", tmp_path / "two"
    write_corpus(records(whole, range(30)), whole.info, one)
    write_corpus(records(whole, range(40, 60)), whole.info, two)
    with Index.build(model, one, place) as index, Index.open(place) as writer, Index.open(place) as other:
        searched = IndexSearch("index", model, index)
        assert {hit.row for hit in index.search("rain", model=model, top=60)} == set(range(30))
        searched.values(index.search("rain", model=model, top=1)[0])
        write_corpus(records(whole, range(5, 40)), whole.info, one)
        assert writer.add(one, model=model) == 10
        assert other.add(two, model=model) == 20  # opened before the former wrote
        assert [own.name for own in Index.open(place).info.corpora] == ["one", "two"]
        hits = index.search("rain", model=model, top=60)
        assert len(hits) == 55
        for hit in hits:
            first = searched.values(hit)["channels"][whole.info.channels[0].key]
            np.testing.assert_array_equal(first, whole.values()[whole.ids.tolist().index(hit.id)][0])
        Index.build(model, two, place, width=16).close()
        assert {hit.corpus for hit in index.search("rain", model=model, top=60)} == {"two"}
        assert (len(index), index.info.width) == (20, 16)


@pytest.mark.parametrize("engine", ["faiss", "milvus"])
def test_a_build_in_the_place_of_an_open_index(model, tiny_runs, tmp_path, monkeypatch, engine):
    """A search that it overtakes ends on the vectors that it began with, and the next one is of the new build."""
    if engine == "milvus":
        pytest.importorskip("milvus_lite")
    whole, place = Corpus.load(tiny_runs.corpus), tmp_path / "index"
    one, two = tmp_path / "one", tmp_path / "two"
    write_corpus(records(whole, range(30)), whole.info, one)
    write_corpus(records(whole, range(40, 60)), whole.info, two)
    with Index.build(model, one, place, engine=engine) as index:

        def overtaken(*rest):
            if engine == "faiss":
                build_index(model, two, place, width=16)
                len(index)  # of another thread
            return ranked(*rest)

        with monkeypatch.context() as patched:
            patched.setattr("trace_lit.inference.index.ranked", overtaken)
            hits = index.search("rain", model=model, top=60)
        assert {hit.id for hit in hits} == set(whole.ids[:30])
        if engine == "milvus":
            build_index(model, two, place, width=16, engine=engine)
        assert {hit.id for hit in index.search("rain", model=model, top=60)} == set(whole.ids[40:])


def test_an_add_holds_the_index(model, tiny_runs, tmp_path, monkeypatch):
    place, held = tmp_path / "index", []

    def update(*_):
        held.append(holder_in_words(place))
        return 0

    monkeypatch.setattr("trace_lit.inference.index.update_corpus", update)
    with Index.build(model, tiny_runs.corpus, place) as index:
        index.add(tiny_runs.corpus, model=model)
    assert held[0] is not None


def test_channels_that_an_index_does_not_have_are_refused(model, index, tmp_path):
    from tests.inference.test_load import write_waves

    with pytest.raises(RetrievalError, match="has the channel 'tide"):
        index.add(write_waves(tmp_path / "waves"), model=model)


def test_several_corpora_share_an_index(model, tiny_runs, tmp_path):
    from tests.inference.test_load import write_waves

    waves = write_waves(tmp_path / "waves")
    with Index.build(model, [tiny_runs.corpus, waves], tmp_path / "index") as index:
        assert {own.name for own in index.info.corpora} == {"weather", "waves"}
        hits = index.search("the tide stands high", filter=Filter(corpus=("waves",)), model=model, within="series")
        assert {hit.corpus for hit in hits} == {"waves"}
        plain = model.search("the tide stands high", corpus=waves, top=10)
        assert {hit.id for hit in hits} <= {own.id for own in plain} | set(Corpus.load(waves).ids)
        assert index.get("waves/w0").corpus == "waves"


def test_a_hundred_channels_are_found_by_256_numbers(model, tmp_path):
    generator = np.random.default_rng(0)
    info = CorpusInfo("plant", "plant", "made up", tuple(Channel(f"sensor {n}", "V") for n in range(100)), "1h")
    values = generator.normal(size=(40, 100, 24)).cumsum(2).astype(np.float32)
    rows = [
        Record(f"{n}", "plant", datetime(2024, 1, 1) + timedelta(days=n), own, f"Sensor {n} drifts.", split="test")
        for n, own in enumerate(values)
    ]
    corpus = write_corpus(rows, info, tmp_path / "plant")
    with Index.build(model, corpus, tmp_path / "index") as index:
        assert index.info.exact_width == 101 * 16
        assert index.store.search(np.zeros((1, index.info.width), np.float32), 1, Filter())
        assert index.info.width <= 256
        plain = model.search("sensor 7 drifts", corpus=corpus, top=10)
        same_answers(index.search("sensor 7 drifts", within="series", model=model), plain)


def test_what_is_usual_is_that_of_the_corpora_where_the_model_takes_it(tiny_runs, tmp_path):
    own = trace_lit.load(tiny_runs.aligned)
    assert isinstance(own, AlignedRun)
    own.config.data.usual = "corpus"
    with Index.build(own, tiny_runs.corpus, tmp_path / "index") as index:
        usual = usual_values([Corpus.load(tiny_runs.corpus)])
        assert index.file.space.usual == {key: pytest.approx(own) for key, own in usual.items()}
        plain = own.search("a storm", corpus=tiny_runs.corpus, top=10)
        own.space(index.file.space.channels, {"pressure [hPa]": (0.0, 1.0)})  # another search has left its own behind
        frame = pd.DataFrame(index.corpus().values()[3].T, columns=[channel.key for channel in index.info.channels])
        same_answers(index.search("a storm", within="series", model=own), plain)
        assert index.search(series=frame, top=1, model=own)[0].score == pytest.approx(1, abs=1e-4)


def test_a_folder_that_was_built_is_read_a_shard_at_a_time(tiny_runs, monkeypatch):
    monkeypatch.setattr(Corpus, "load", None)
    assert len(CorpusBlocks(tiny_runs.corpus, 1024).block(0)) == 60


def test_another_model_is_refused(index, tiny_runs, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny_runs.aligned, other)
    again = trace_lit.load(other)
    assert index.search("rain", model=again)  # the same weights elsewhere
    again.checkpoint.weights["model.log_temperature"] += 1
    del again.__dict__["checksum"]
    with pytest.raises(RetrievalError, match="another model"):
        index.search("rain", model=again)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def embed_shard(connection: Connection, run: Path, corpus: Path, out: Path) -> None:
    """Embed one of three shards, and tell of each part that is written."""
    for module in (space, parts):
        module.BLOCK_ROWS = 8
    write = parts.Parts.write

    def written(self, *rest):
        write(self, *rest)
        connection.send("a part")

    parts.Parts.write = written
    embed_parts(trace_lit.load(run), corpus, out, (1, 3))


def test_any_number_of_shards_one_killed_give_the_same_index(tiny_runs, tmp_path, monkeypatch):
    model = trace_lit.load(tiny_runs.aligned)  # channels that another test has taught it would move the last bits
    for module in (space, parts):
        monkeypatch.setattr(module, "BLOCK_ROWS", 8)
    made = []
    for count in (1, 2, 3):
        out = tmp_path / f"{count}" / "parts"
        if count == 3:
            with other_process(embed_shard, tiny_runs.aligned, tiny_runs.corpus, out) as (_, connection):
                assert connection.recv() == "a part"  # then it is killed
            assert parts.Parts(out).missing()
            with pytest.raises(RetrievalError, match=r"parts in .* are missing"):
                Index.build(model, (), tmp_path / "3" / "index", parts=out)
        for own in reversed(range(count)):
            embed_parts(model, tiny_runs.corpus, out, (own, count))
        Index.build(model, (), tmp_path / f"{count}" / "index", parts=out, width=32).close()
        made.append((files(out), files(tmp_path / f"{count}" / "index")))
    assert made[0] == made[1] == made[2]
    assert len(made[0][0]) == 1 + 8


def test_parts_of_another_corpus_are_refused(model, tiny_runs, tmp_path):
    embed_parts(model, tiny_runs.corpus, tmp_path / "parts")
    other = shutil.copytree(tiny_runs.corpus, tmp_path / "other")
    with pytest.raises(RetrievalError, match="of other corpora"):
        embed_parts(model, other, tmp_path / "parts")
    with pytest.raises(ConfigError, match="3/2"):
        embed_parts(model, tiny_runs.corpus, tmp_path / "parts", (3, 2))


@pytest.mark.parametrize(
    ("variables", "shard"),
    [
        ({}, (0, 1)),
        ({"RANK": "2", "WORLD_SIZE": "4"}, (2, 4)),
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"}, (2, 3)),
        ({"JOB_COMPLETION_INDEX": "1", "JOB_COMPLETIONS": "5"}, (1, 5)),
    ],
)
def test_the_shard_is_what_the_job_says(monkeypatch, variables, shard):
    for name in ("RANK", "WORLD_SIZE", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert parts.shard_of_environment() == shard


def test_blocks_are_the_rows_of_the_corpus(tiny_runs):
    whole = Corpus.load(tiny_runs.corpus)
    for place in (tiny_runs.corpus, whole):
        blocks = CorpusBlocks(place, 7)
        assert (blocks.rows, len(blocks)) == (60, 9)
        assert [name for block in blocks for name in block.ids] == whole.ids.tolist()
        assert all(
            np.array_equal(own, other, equal_nan=True)
            for own, other in zip((own for block in blocks for own in block.values()), whole.values(), strict=True)
        )


def test_a_build_over_something_else_is_refused(model, tiny_runs, tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RetrievalError, match="is no index"):
        Index.build(model, tiny_runs.corpus, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_a_build_replaces_the_index_once_it_is_complete(model, tiny_runs, tmp_path, monkeypatch):
    out = tmp_path / "index"
    Index.build(model, tiny_runs.corpus, out).close()
    before = files(out)

    def failing(*_):
        raise RuntimeError("no more")

    monkeypatch.setattr("trace_lit.inference.index_build._recall", failing)
    with pytest.raises(RuntimeError, match="no more"):
        Index.build(model, tiny_runs.corpus, out, width=16)
    assert files(out) == before
    monkeypatch.undo()
    with Index.build(model, tiny_runs.corpus, out, width=16) as index:
        assert index.info.width == 16
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


@pytest.mark.parametrize("then", ["open", "build", "add", "search RUN", "serve RUN"])
def test_a_build_that_is_killed_between_its_renames_is_ended_by_the_next_command(
    model, tiny_runs, tmp_path, monkeypatch, then
):
    folder = Path(shutil.copytree(tiny_runs.aligned, tmp_path / "run"))
    run, out = trace_lit.load(folder), folder / "index"
    Index.build(run, tiny_runs.corpus, out, width=8).close()
    before, rename = files(folder), Path.rename

    def killed(path, target):
        if Path(target) == out:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            Index.build(run, tiny_runs.corpus, out, width=16)
    assert not out.exists()
    width = 16
    if then == "open":
        Index.open(out).close()
    elif then == "build":
        width = 12
        Index.build(run, tiny_runs.corpus, out, width=width).close()
    elif then == "add":
        assert main(["index", "add", str(out), "--corpus", str(tiny_runs.corpus)]) == 0
    elif then == "search RUN":
        assert main(["search", str(folder), "--corpus", str(tiny_runs.corpus), "--text", "rain"]) == 0
    else:
        Served([folder], [], [])
    assert IndexFile.read(out).width == width
    assert sorted(files(folder)) == sorted(before)


def test_an_index_in_a_folder_that_cannot_be_written_says_what_to_do(built, tmp_path, monkeypatch):
    shutil.copytree(built, tmp_path / ".index.old")

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("trace_lit.inference.index_files.held", refused)
    with pytest.raises(RetrievalError, match="open the index once as who may write there"):
        Index.open(tmp_path / "index")


@pytest.mark.parametrize("wrong", ["{", '{"format": 9}', '{"format": 1, "engine": "../evil"}', '{"format": 1}', "[]"])
def test_a_damaged_index_is_named(built, tmp_path, wrong):
    copy = shutil.copytree(built, tmp_path / "copy")
    (copy / "index.json").write_text(wrong)
    with pytest.raises(RetrievalError, match=r"index\.json"):
        Index.open(copy)


def test_commands(tiny_runs, tmp_path, capsys, monkeypatch):
    def done(*words) -> tuple[str, str]:
        capsys.readouterr()
        assert main([str(word) for word in words]) == 0
        found = capsys.readouterr()
        return found.out, found.err

    run, corpus, out = shutil.copytree(tiny_runs.aligned, tmp_path / "run"), tiny_runs.corpus, tmp_path / "index"
    assert "60 windows, exact" in done("index", "build", run, "--corpus", corpus, "--out", out)[0]
    told = done("index", "info", out)[0]
    assert "60 windows, faiss" in told
    assert "corpus weather: 60 windows" in told
    hits = json.loads(done("index", "search", out, "--text", "rain", "--top", "2", "--split", "test", "--json")[0])
    assert [hit["split"] for hit in hits] == ["test", "test"]
    assert "1 windows deleted, 59 left" in done("index", "delete", out, "--id", hits[0]["id"])[0]
    assert "1 windows embedded, 60 in all" in done("index", "add", out, "--corpus", corpus)[0]
    plain = done("search", run, "--corpus", corpus, "--text", "rain")[0]
    assert done("embed", run, "--corpus", corpus, "--out", tmp_path / "parts", "--shard", "0/1")[0]
    assert "60 windows" in done("index", "build", run, "--parts", tmp_path / "parts")[0]
    monkeypatch.setattr("trace_lit.inference.AlignedRun.retriever", None)  # what embeds the corpus
    assert done("search", run, "--corpus", corpus, "--text", "rain") == (plain, "")
    monkeypatch.undo()
    copy = shutil.copytree(corpus, tmp_path / "weather")
    done("index", "build", run, "--corpus", copy)
    whole = Corpus.load(copy)
    write_corpus(records(whole, range(59)), whole.info, copy)
    found, told = done("search", run, "--corpus", copy, "--text", "rain")
    assert told.startswith("stale: the corpus")
    assert found.startswith("1. ")
    assert main(["search", str(run), "--corpus", str(corpus), "--text", "rain", "--in", "both"]) == 2
    assert "--in needs an index" in capsys.readouterr().err
    assert main(["index", "delete", str(out)]) == 2
    capsys.readouterr()
    found, told = done("index", "search", out, "--text", "rain", "--since", "2199-01-01")
    assert (found, "the filters admit no window" in told) == ("", True)
    for what, name in (("label", "moonshine"), ("corpus", "elsewhere")):
        option = {"label": "--label", "corpus": "--of-corpus"}[what]
        for command in (["search", str(out), "--text", "rain"], ["delete", str(out)]):
            assert main(["index", *command, option, name]) == 2
            assert f"has no {what} '{name}'; there are: " in capsys.readouterr().err


def test_an_index_in_milvus_answers_alike(model, tiny_runs, index, tmp_path):
    pytest.importorskip("milvus_lite")
    with Index.build(model, tiny_runs.corpus, tmp_path / "index", width=32, engine="milvus", kind="exact") as other:
        for question in ({"text": "a storm"}, {"like": index.search("rain", top=1, model=model)[0].id}):
            same_answers(other.search(**question, model=model), index.search(**question, model=model))
        all_are_found(model, other, Corpus.load(tiny_runs.corpus))
        assert other.delete(filter=Filter(split=("test",))) == index.count(Filter(split=("test",)))
        assert other.add(tiny_runs.corpus, model=model) == index.count(Filter(split=("test",)))


def test_an_index_over_grpc(model, tiny_runs, index, tmp_path, milvus_server, monkeypatch):
    from pymilvus import MilvusClient

    out = tmp_path / "index"
    for _ in range(2):  # the second takes the place of the first, also there
        Index.build(
            model, tiny_runs.corpus, out, width=32, engine="milvus", kind="exact", uri=milvus_server, token="me"
        ).close()
    client = MilvusClient(milvus_server)
    made = [name for name in client.list_collections() if name.startswith("trace_lit_")]
    client.close()
    assert len(made) == 1
    assert sorted(path.name for path in out.iterdir()) == ["index.json", "projection.npy"]
    assert "me" not in json.loads((out / "index.json").read_text()).values()
    monkeypatch.setenv("TRACE_LIT_MILVUS_URI", milvus_server)
    with Index.open(out) as opened:
        same_answers(opened.search("a storm", model=model), index.search("a storm", model=model))
        assert opened.info.engine == "milvus"
        assert opened.delete([index.search("rain", top=1, model=model)[0].id]) == 1
        assert len(opened) == 59


def test_a_cluster_is_connected_to_if_the_user_names_it(built, tmp_path, monkeypatch):
    copy = shutil.copytree(built, tmp_path / "copy")
    plain = json.loads((copy / "index.json").read_text())
    (copy / "index.json").write_text(
        json.dumps(plain | {"engine": "milvus", "uri": "http://evil:1", "collection": "c"})
    )
    monkeypatch.setattr("trace_lit.inference.index_files.MilvusStore", None)  # is not asked
    with pytest.raises(RetrievalError, match="TRACE_LIT_MILVUS_URI"):
        Index.open(copy, token="secret")
    with pytest.raises(RetrievalError, match="TRACE_LIT_MILVUS_URI"):
        Index.open(copy, uri="http://mine:1", token="secret")


def add_all(connection: Connection, place: Path, run: Path, corpus: Path) -> None:
    """Add a corpus four windows at a time, and tell of each time."""
    for module in (index_update, space):
        module.BLOCK_ROWS = 4
    index = Index.open(place)
    upsert = index.store.upsert

    def told(batches):
        upsert(batches)
        connection.send("a batch")

    index.store.upsert = told
    index.add(corpus, model=trace_lit.load(run))


def test_an_add_that_is_killed_is_done_by_adding_again(model, tiny_runs, tmp_path):
    whole = Corpus.load(tiny_runs.corpus)
    folder = tmp_path / "weather"
    write_corpus(records(whole, range(8)), whole.info, folder)
    Index.build(model, folder, tmp_path / "index", width=32).close()
    write_corpus(records(whole, range(60)), whole.info, folder)
    with other_process(add_all, tmp_path / "index", tiny_runs.aligned, folder) as (_, connection):
        assert connection.recv() == "a batch"
        time.sleep(0.05)  # then it is killed
    with Index.open(tmp_path / "index") as index:
        there = len(index)
        assert there > 8
        assert there % 4 == 0
        assert index.stale(model)
        assert index.add(folder, model=model) == 60 - there
        assert len(index) == 60
        same_answers(
            index.search("rain", top=60, within="series", model=model), model.search("rain", corpus=folder, top=60)
        )


def _put(tree, path, value):
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value


@pytest.mark.parametrize(
    ("file", "path", "value"),
    [
        ("index.json", ("space", "channels"), []),
        ("index.json", ("space", "channels", 0, "name"), "another"),
        ("index.json", ("space", "keys"), [None, "another"]),
        ("index.json", ("space", "keys", 0), "another"),
        ("index.json", ("space", "width"), 10**9),
        ("index.json", ("space", "usual"), {"another": [0, 1]}),
        ("index.json", ("width",), 3),
        ("index.json", ("corpora", 0, "rows"), -1),
        ("store/manifest.json", ("width",), [1]),
        ("store/manifest.json", ("exact_width",), 10**9),
        ("store/manifest.json", ("next",), "x"),
        ("store/manifest.json", ("segments",), {}),
        ("store/manifest.json", ("segments", 0), None),
        ("store/manifest.json", ("segments", 0, "name"), "../evil"),
        ("store/manifest.json", ("segments", 0, "rows"), True),
        ("store/manifest.json", ("segments", 0, "exact_width"), 3),
        ("store/manifest.json", ("segments", 0, "compact"), 1),
        ("store/manifest.json", ("segments", 0, "kind"), "x"),
    ],
)
def test_an_index_edited_by_hand_is_refused(built, tmp_path, file, path, value):
    copy = shutil.copytree(built, tmp_path / "copy")
    plain = json.loads((copy / file).read_text())
    _put(plain, path, value)
    (copy / file).write_text(json.dumps(plain))
    with pytest.raises(RetrievalError, match="build the index again") as error:
        Index.open(copy)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [(2, 5, 5), (2, 5), (2, 0, 0)])
def test_a_projection_of_another_index_is_refused(built, tmp_path, size):
    copy = shutil.copytree(built, tmp_path / "copy")
    np.save(copy / "projection.npy", np.zeros(size, np.float32))
    if size == (2, 0, 0):
        plain = json.loads((copy / "index.json").read_text())
        (copy / "index.json").write_text(json.dumps(plain | {"width": 5}))
    with pytest.raises(RetrievalError, match=r"projection|damaged"):
        Index.open(copy)


def test_a_rebuild_leaves_a_cluster_alone_that_only_the_file_names(model, tiny_runs, tmp_path, monkeypatch):
    out = tmp_path / "index"
    Index.build(model, tiny_runs.corpus, out).close()
    plain = json.loads((out / "index.json").read_text())
    (out / "index.json").write_text(json.dumps(plain | {"engine": "milvus", "uri": "http://evil:1", "collection": "c"}))
    monkeypatch.setattr("trace_lit.inference.index_files.MilvusStore", None)  # is not asked
    Index.build(model, tiny_runs.corpus, out, token="secret").close()


def test_parts_edited_by_hand_are_refused(model, tiny_runs, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    folder = tmp_path / "parts"
    embed_parts(model, tiny_runs.corpus, folder)
    manifest = folder / "parts.json"
    before = manifest.read_text()
    for path, value in ((("corpora", 0, "rows"), -1), (("corpora", 0, "rows"), 59), (("space", "width"), 3)):
        plain = json.loads(before)
        _put(plain, path, value)
        manifest.write_text(json.dumps(plain))
        with pytest.raises(RetrievalError, match="damaged"):
            Index.build(model, (), tmp_path / "index", parts=folder)
    manifest.write_text(before)
    (part,) = folder.glob("*.parquet")
    table = pq.read_table(part)
    names = table["text"].to_pylist()
    monkeypatch.setattr("data_modules.shards.FREE_BYTES", 2**25)
    for text in ("x" * 2**21, None):
        texts = [text, *names[1:]] if text else ["y" * 2**20] * len(names)
        pq.write_table(table.set_column(table.column_names.index("text"), "text", [texts]), part, compression="zstd")
        with pytest.raises(RetrievalError, match="bytes"):
            Index.build(model, (), tmp_path / "index", parts=folder)
