from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data_modules import Channel, Corpus, CorpusInfo, Record, write_corpus
from tests.conftest import TinyRuns
from tests.warm import run_warm
from trace_lit.cli import main
from trace_lit.settings import load_config


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail: exit code 2, one line on stderr, nothing left behind. The line is returned."""

    def refused(*words: str | Path) -> str:
        before = tree(here)
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error: ")
        assert captured.err.count("\n") == 1, captured.err
        assert tree(here) == before
        return captured.err.removeprefix("error: ").rstrip("\n")

    return refused


@pytest.fixture
def done(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must succeed; what it prints is returned."""

    def done(*words: str | Path) -> str:
        capsys.readouterr()
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    return done


def wells(folder: Path) -> Corpus:
    """A corpus with channels, lengths and a frequency that the weather runs know nothing of."""
    rng = np.random.default_rng(0)
    records = [
        Record(
            id=f"well-{number}",
            series_id=f"well {number}",
            start=datetime(2020, 1, 1) + timedelta(days=number),
            values=rng.normal(size=(2, 9 + number)).astype(np.float32),
            text=f"Well {number}: the water stood {'high' if number % 2 else 'low'}.",
            split="test",
        )
        for number in range(12)
    ]
    info = CorpusInfo("hydrology", "wells", "made up", (Channel("water level", "m"), Channel("turbidity")), "1D")
    return write_corpus(records, info, folder)


def is_drawn(path: Path) -> bool:
    with Image.open(path) as picture:
        return len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10


# The commands


@pytest.mark.parametrize(
    ("command", "offered"),
    [
        ([], ["data", "fit", "compare", "evaluate", "predict", "search", "runs", "info", "keys", "--version"]),
        (["data"], ["build", "validate", "show"]),
        (["data", "build"], ["--domain", "--source", "--root", "--out", "key=value"]),
        (["data", "validate"], ["corpus", "--strict"]),
        (["data", "show"], ["--plot"]),
        (["fit"], ["--resume", "--overwrite", "--print-config", "key=value", "trace-lit keys", "init_from=auto"]),
        (["compare"], ["RUN", "--metrics", "--all", "--each", "--markdown", "--json"]),
        (["evaluate"], ["--split", "--corpus", "--json", "--questions", "--part", "--plot", "--draw", "--probes"]),
        (["predict"], ["--corpus", "--series", "--split", "--id", "--last", "--out", "--plot", "--json"]),
        (["search"], ["--corpus", "--text", "--series", "--like", "--top", "--split", "--plot", "--explain", "--json"]),
    ],
)
def test_help(command: list[str], offered: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    output = capsys.readouterr().out
    assert all(word in output for word in offered)


def test_a_corpus_is_built_checked_and_shown(here: Path, done) -> None:
    assert "40 instances" in done("data", "build", "--domain", "energy", "--out", "corpus", "instances=40", "seed=3")
    assert len(Corpus.load("corpus")) == 40
    assert "no problems" in done("data", "validate", "corpus")
    output = done("data", "show", "corpus", "--plot", "pictures/corpus.png")
    for words in ("Splits", "train", "Channels", Corpus.load("corpus").info.channels[0].name, "missing", "median"):
        assert words in output
    assert is_drawn(here / "pictures" / "corpus.png")


def test_the_same_seed_builds_the_same_corpus(here: Path, done) -> None:
    prints = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done("data", "build", "--domain", "weather", "--out", name, "instances=20", f"seed={seed}")
        prints.append(Corpus.load(name).fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_problems_of_a_corpus_are_listed(here: Path, tiny_corpus: Path, capsys) -> None:
    shutil.copytree(tiny_corpus, "broken")
    (here / "broken" / "corpus.yaml").unlink()
    assert main(["data", "validate", "broken"]) == 1
    assert "corpus.yaml" in capsys.readouterr().out


def test_windows_of_equal_values_are_a_warning(here: Path, capsys) -> None:
    """They are no fault of the corpus, unless one asks for strictness."""
    records = [
        Record(f"day {n}", "s", datetime(2020, 1, 1) + timedelta(days=n), np.full((1, 24), max(n, 7)), split="test")
        for n in range(10)
    ]
    write_corpus(records, CorpusInfo("d", "n", "made up", (Channel("level"),), "1h"), here / "corpus")
    assert main(["data", "validate", "corpus"]) == 0
    output = capsys.readouterr().out
    assert "warning: 8 rows of the series 's' have the same values" in output
    assert "no problems" in output
    assert main(["data", "validate", "corpus", "--strict"]) == 1


def test_print_config_prints_what_load_config_reads(here: Path, done) -> None:
    (here / "a.yaml").write_text("optim: {learning_rate: 0.25}")
    (here / "b=c.yaml").write_text("seed: 7")  # a file may have "=" in its name
    output = done("fit", "a.yaml", "b=c.yaml", "--print-config", "encoder.layers=2")
    (here / "printed.yaml").write_text(output)
    assert load_config(["printed.yaml"]) == load_config(["a.yaml", "b=c.yaml"], ["encoder.layers=2"])
    assert list(here.iterdir()) == [*here.glob("*.yaml")]


def test_print_config_prints_the_run_of_each_seed(here: Path, done) -> None:
    for seeds in ("3,1", "[3, 1]"):
        parts = done("fit", "run.name=first", f"seed={seeds}", "--print-config").split("---\n")
        for part, seed in zip(parts, (3, 1), strict=True):
            (here / "printed.yaml").write_text(part)
            assert load_config(["printed.yaml"]) == load_config([], [f"seed={seed}", f"run.name=first-seed{seed}"])
    assert done("fit", "seed=3,1", "seed=2", "--print-config") == done("fit", "seed=2", "--print-config")


@pytest.mark.slow
def test_runs_are_compared_on_the_terminal_and_in_files(tiny_runs: TinyRuns, here: Path, done) -> None:
    output = done("compare", tiny_runs.pretrained, tiny_runs.aligned, "--markdown", "a/b.md", "--json", "a/b.json")
    assert (here / "a" / "b.md").read_text() == output
    assert "| stage | pretrain | align |" in output
    content = json.loads((here / "a" / "b.json").read_text())
    own = json.loads((tiny_runs.aligned / "metrics.json").read_text())
    assert content["metrics"]["last/validation/loss"][1]["mean"] == own["last/validation/loss"]
    assert content["settings"]["stage"] == [["pretrain"], ["align"]]


@pytest.mark.slow
def test_evaluation_is_printed_and_kept_under_flat_names(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    file = tmp_path / "deep" / "metrics.json"
    output = done("evaluate", tiny_runs.aligned, "--json", file)
    metrics = json.loads(file.read_text())
    count = len(Corpus.load(tiny_runs.corpus).select("test"))
    for key in ("text_to_series/pair/MRR", "series_to_text/pair/P@5", "series_to_series/label/P@1"):
        assert 0 <= metrics[f"test/{key}"] <= 1
    assert 0 < metrics["test/text_to_series/top1/rougeL"] < 1
    low, high = metrics["test/text_to_series/pair/MRR/ci95"]
    assert low <= metrics["test/text_to_series/pair/MRR"] <= high
    assert metrics["test/pool/instances"] == count
    assert "random ranker" in output
    assert f"{metrics['test/text_to_series/pair/MRR']:.3f}" in output
    kept = json.loads((tiny_runs.aligned / "metrics.json").read_text())
    assert metrics.items() <= kept.items()
    assert "fit/seconds" in kept  # what was there is still there


QUESTIONS = """
questions:
- {id: warm, kind: level, split: development, wordings: [warm, how hot it was],
   rule: {channel: temperature, statistic: mean, above: {quantile: 0.5}}}
- {id: rising, kind: two_channels, split: development, wordings: [rising wind, pressure and wind],
   rule: {all: [{channel: wind speed, statistic: change, above: 0}, {channel: pressure, statistic: mean, above: 900}]}}
- {id: salty, kind: level, split: development, wordings: [salty], rule: {channel: salinity, statistic: mean, above: 3}}
- {id: cold, kind: level, split: test, wordings: [cold],
   rule: {channel: temperature, statistic: mean, below: {quantile: 0.5}}}
"""


@pytest.mark.slow
def test_questions_are_answered_counted_and_drawn(tiny_runs: TinyRuns, here: Path, done, refused) -> None:
    (here / "own.yaml").write_text(QUESTIONS)
    words = ("evaluate", tiny_runs.aligned, "--questions", "own.yaml", "--split", "train")
    output = done(*words, "--plot", "a/worst.png", "--json", "b/answers.json")
    assert is_drawn(here / "a" / "worst.png")
    metrics = json.loads((here / "b" / "answers.json").read_text())
    prefix = "train/questions/development"
    assert metrics[f"{prefix}/questions"] == 2
    assert metrics[f"{prefix}/left_out"] == 1
    assert metrics[f"{prefix}/random"] == pytest.approx(0.5, abs=0.2)
    assert 0 <= metrics[f"{prefix}/P@10/ci95"][0] <= metrics[f"{prefix}/P@10"] <= 1
    assert metrics[f"{prefix}/P@10"] == pytest.approx(
        (metrics[f"{prefix}/kind/level/P@10"] + metrics[f"{prefix}/kind/two_channels/P@10"]) / 2
    )
    assert "salty: there is no salinity" in output
    assert "cold" not in output
    assert metrics.items() <= json.loads((tiny_runs.aligned / "metrics.json").read_text()).items()
    assert "test/questions" not in done(*words, "--part", "test")
    assert "no question 'cold' was asked; there are: warm, rising" in refused(
        *words, "--plot", "x.png", "--draw", "cold"
    )


def test_what_evaluate_draws_are_answers(refused) -> None:
    for words in (["--plot", "x.png"], ["--questions", "weather", "--draw", "a"]):
        assert "--plot draws answers to questions" in refused("evaluate", "run", *words)
    assert "of one aligned run" in refused("evaluate", "run", "--probes", "--retrieval")


@pytest.mark.slow
def test_a_file_of_questions_that_is_not_there(tiny_runs: TinyRuns, refused) -> None:
    assert "name one, or a domain" in refused("evaluate", tiny_runs.aligned, "--questions", "nowhere.yaml")


@pytest.mark.slow
def test_probes_are_counted(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    output = done("evaluate", tiny_runs.aligned, "--probes", "--json", tmp_path / "probes.json")
    metrics = json.loads((tmp_path / "probes.json").read_text())
    count = len(Corpus.load(tiny_runs.corpus).select("test"))
    assert metrics["test/probes/time_shuffled/texts"] == count
    assert 0 < metrics["test/probes/statements/opposed/texts"] <= count
    assert 0 <= metrics["test/probes/time_shuffled/noticed"] <= 1
    assert "time shuffled" in output


@pytest.mark.slow
def test_evaluation_of_another_split(tiny_runs: TinyRuns, done) -> None:
    done("evaluate", tiny_runs.aligned, "--split", "validation")
    kept = json.loads((tiny_runs.aligned / "metrics.json").read_text())
    assert kept["validation/pool/instances"] == len(Corpus.load(tiny_runs.corpus).select("validation"))


@pytest.mark.slow
def test_evaluation_on_channels_never_seen(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    wells(tmp_path / "wells")
    before = (tiny_runs.aligned / "metrics.json").read_text()
    done("evaluate", tiny_runs.aligned, "--corpus", tmp_path / "wells", "--json", tmp_path / "metrics.json")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test/pool/instances"] == 12
    assert 0 < metrics["test/text_to_series/pair/MRR"] <= 1
    assert (tiny_runs.aligned / "metrics.json").read_text() == before  # those are of the run's own corpus


@pytest.mark.slow
def test_a_checkpoint_file_serves_as_a_run(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    for place, file in (
        (tiny_runs.aligned, "run.json"),
        (tiny_runs.aligned / "checkpoints" / "best.ckpt", "ckpt.json"),
    ):
        done("evaluate", place, "--json", tmp_path / file)
    assert (tmp_path / "run.json").read_text() == (tmp_path / "ckpt.json").read_text()


@pytest.mark.slow
def test_search_in_words(tiny_runs: TinyRuns, tmp_path: Path, done, capsys) -> None:
    words = ("search", tiny_runs.aligned, "--text", "Snow fell. The wind was strong.", "--top", "3")
    hits = json.loads(done(*words, "--json"))
    assert len(hits) == 3
    assert set(hits[0]) >= {"score", "id", "start", "label", "text"}
    assert sorted((hit["score"] for hit in hits), reverse=True) == [hit["score"] for hit in hits]
    assert {hit["id"] for hit in hits} <= set(Corpus.load(tiny_runs.corpus).ids)
    output = done(*words, "--plot", tmp_path / "pictures" / "hits.png")
    assert all(hit["id"] in output for hit in hits)
    assert is_drawn(tmp_path / "pictures" / "hits.png")
    assert "explanation" not in hits[0]
    assert "of the query" not in output


@pytest.mark.slow
def test_search_explains_its_hits(tiny_runs: TinyRuns, done) -> None:
    words = ("search", tiny_runs.aligned, "--text", "Snow fell. The wind was strong.", "--top", "2", "--explain")
    for hit in json.loads(done(*words, "--json")):
        clauses = hit["explanation"]["clauses"]
        assert [own["name"] for own in clauses] == ["Snow fell.", "The wind was strong."]
        for own in (clauses, hit["explanation"]["channels"]):
            assert sum(part["score"] for part in own) == pytest.approx(hit["score"], abs=1e-5)
    output = done(*words).splitlines()
    assert sum("“The wind was strong.”: " in line for line in output) == 2
    name = str(Corpus.load(tiny_runs.corpus).ids[0])
    output = done("search", tiny_runs.aligned, "--like", name, "--top", "1", "--explain")
    assert all(channel.key in output for channel in Corpus.load(tiny_runs.corpus).info.channels)


@pytest.mark.slow
def test_search_within_a_split(tiny_runs: TinyRuns, done) -> None:
    test = set(Corpus.load(tiny_runs.corpus).ids[Corpus.load(tiny_runs.corpus).select("test")])
    words = ("search", tiny_runs.aligned, "--text", "fog", "--split", "test", "--top", "1000", "--json")
    assert {hit["id"] for hit in json.loads(done(*words))} == test


@pytest.mark.slow
def test_the_series_of_a_file_finds_itself(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    corpus = Corpus.load(tiny_runs.corpus)
    row = corpus.select("test")[0]
    values = corpus.values()[row]
    with (tmp_path / "query.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([channel.key for channel in corpus.info.channels])
        writer.writerows([["" if np.isnan(value) else repr(float(value)) for value in step] for step in values.T])
    picture = tmp_path / "hits.png"
    hits = json.loads(
        done("search", tiny_runs.aligned, "--series", tmp_path / "query.csv", "--json", "--plot", picture)
    )
    assert hits[0]["id"] == corpus.ids[row]
    assert hits[0]["score"] == pytest.approx(1, abs=1e-5)
    assert is_drawn(picture)


@pytest.mark.slow
def test_the_like_of_an_instance_leaves_itself_out(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    name = str(Corpus.load(tiny_runs.corpus).ids[0])
    picture = tmp_path / "hits.png"
    hits = json.loads(done("search", tiny_runs.aligned, "--like", name, "--top", "4", "--json", "--plot", picture))
    assert len(hits) == 4
    assert name not in {hit["id"] for hit in hits}
    assert is_drawn(picture)


@pytest.mark.slow
def test_search_in_another_corpus_that_has_one_split_only(tiny_runs: TinyRuns, tmp_path: Path, done) -> None:
    wells(tmp_path / "wells")
    hits = json.loads(
        done("search", tiny_runs.aligned, "--corpus", tmp_path / "wells", "--text", "high water", "--json")
    )
    assert len(hits) == 5
    assert all(hit["id"].startswith("well-") for hit in hits)


# What cannot be done


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["optim.lr=1"], "no key 'optim.lr'; the nearest is 'optim.learning_rate'"),
        (["nowhere.yaml"], "no configuration file nowhere.yaml"),
        (["seed=0,x"], "seed=0,x: give one seed, or several like seed=0,1,2"),
        (["seed=1,0,1"], "seed=1,0,1: a seed is given twice"),
        (["seed=0,1", "init_from=nowhere"], "init_from=nowhere does not exist, nor does nowhere-seed0 for seed 0"),
        (["seed=0,1", "optim.lr=1"], "no key 'optim.lr'; the nearest is 'optim.learning_rate'"),
        (["trainer.max_epochs=many"], "trainer.max_epochs: Value 'many'"),
        (["data.domain=astrology"], "data.domain is 'astrology'; it must be one of weather, healthcare, energy"),
        (["data.domain=no.such:Module"], "there is no module 'no.such'"),
        (["data.source=satellite"], "data.source is 'satellite'; the domain weather offers generated, timecap"),
        (["data.source=timecap"], "data.root is not set"),
        (["data.options.colour=red"], "data.options.colour: the source 'generated' has no such option"),
        (["data.corpus=nowhere"], "nowhere"),
        (["init_from=nowhere"], "nowhere does not exist; give a run folder"),
        (["text.name=./no-such-model"], "no-such-model"),
        (["stage=align", "data.random_offset=true"], "data.random_offset is true in stage align"),
    ],
)
def test_a_fit_that_cannot_start(words: list[str], expected: str, refused, tiny_words) -> None:
    caches = ["data.cache_dir=corpora", "text.cache_dir=texts", "trainer.accelerator=cpu"]
    assert expected in refused("fit", *tiny_words, *caches, *words)


def test_a_corpus_that_cannot_be_built(refused) -> None:
    build = ("data", "build", "--out", "corpus", "--domain")
    assert "it must be one of weather, healthcare, energy" in refused(*build, "astrology")
    assert "the domain weather offers" in refused(*build, "weather", "--source", "satellite")
    assert "Its options are instances" in refused(*build, "weather", "colour=red")
    assert "data.options.instances is 'many'; it must be of type int" in refused(*build, "weather", "instances=many")


def test_a_name_that_is_misspelt_is_answered_by_the_nearest(here: Path, refused) -> None:
    build = ("data", "build", "--out", "c")
    message = refused(*build, "--source", "table")
    assert message.startswith("there is no source 'table'; did you mean tables? The sources are csv, generated, hf,")
    message = refused(*build, "--domain", "weather", "--source", "generated", "lenght=12")
    assert "data.options.lenght: the source 'generated' has no such option; did you mean length?" in message
    (here / "tables.yaml").write_text("domain: plant\nseries: [{files: [meter.csv]}]\nwindow: {length: 4}\n")
    message = refused(*build, "--source", "tables", "--root", ".", "tables.yaml")
    assert "window is no key; the nearest is 'windows'" in message


def test_a_corpus_that_is_not_one(here: Path, tiny_corpus: Path, tiny_words, refused) -> None:
    (here / "empty").mkdir()
    shutil.copytree(tiny_corpus, here / "headless")
    (here / "headless" / "corpus.yaml").unlink()
    shutil.copytree(tiny_corpus, here / "cut")
    shard = next((here / "cut").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:1000])
    for name, message in (("empty", "corpus.yaml"), ("headless", "corpus.yaml"), ("cut", shard.name)):
        assert message in refused("fit", *tiny_words, f"data.corpus={name}")
        assert message in refused("data", "show", name)


def test_windows_shorter_than_a_patch(tiny_corpus: Path, tiny_words, refused) -> None:
    message = refused("fit", *tiny_words, f"data.corpus={tiny_corpus}", "encoder.patch_length=1000")
    assert "is shorter than a patch of 1000" in message
    assert "encoder.patch_length" in message


@pytest.mark.parametrize("word", ["accelerator=abacus", "precision=3", "strategy=chess", "devices=none", "devices=0"])
def test_a_trainer_that_there_is_not(word: str, tiny_corpus: Path, tiny_words, refused) -> None:
    message = refused("fit", *tiny_words, f"data.corpus={tiny_corpus}", f"trainer.{word}")
    start = (
        "trainer.precision is '3'; weights stay in float32" if word == "precision=3" else "the section trainer cannot"
    )
    assert message.startswith(start)


@pytest.mark.slow
def test_an_encoder_of_another_shape(tiny_runs: TinyRuns, refused) -> None:
    start = ("fit", *tiny_runs.words, "stage=align", f"init_from={tiny_runs.pretrained}")
    assert "encoder.width=16 there, 32 here" in refused(*start, "encoder.width=32")
    assert "encoder.rotary=True there, False here" in refused(*start, "encoder.rotary=false")
    message = refused("fit", *tiny_runs.words, f"init_from={tiny_runs.aligned}")
    assert "is of stage 'align'; one of stage 'pretrain' is needed here" in message


@pytest.mark.slow
def test_a_run_of_the_same_name(tiny_runs: TinyRuns, here: Path, refused) -> None:
    shutil.copytree(tiny_runs.pretrained, here / "runs" / "weather" / "pretrain" / "first")
    fit = ("fit", *tiny_runs.words, "run.name=first")
    assert "exists; choose another run.name, go on with it (--resume auto), or replace it" in refused(*fit)
    assert "trainer" in refused(*fit, "--overwrite", "trainer.precision=3")  # and the first is still whole
    (here / "runs" / "weather" / "pretrain" / "first" / "config.yaml").unlink()
    assert "holds something else than a run" in refused(*fit, "--overwrite")


@pytest.fixture
def broken_runs(tiny_runs: TinyRuns, here: Path) -> None:
    for name in ("cut", "empty", "strange"):
        shutil.copytree(tiny_runs.aligned, here / name)
        for file in (here / name / "checkpoints").iterdir():
            content = {"cut": file.read_bytes()[:5000], "empty": b""}.get(name)
            torch.save({"weights": 3}, file) if content is None else file.write_bytes(content)
    shutil.copytree(tiny_runs.aligned / "checkpoints", here / "no-run" / "checkpoints")
    shutil.copytree(tiny_runs.aligned, here / "young", ignore=shutil.ignore_patterns("*.ckpt"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("cut", "best.ckpt cannot be read, it is damaged or no checkpoint"),
        ("empty", "best.ckpt cannot be read, it is damaged or no checkpoint"),
        ("strange", "is not a checkpoint of trace_lit"),
        ("no-run", "is not a run folder: it has no config.yaml"),
        ("young", "has no checkpoint yet"),
        ("nowhere", "does not exist"),
        ("young/config.yaml", "cannot be read, it is damaged or no checkpoint"),
    ],
)
def test_a_run_that_is_not_one(run: str, expected: str, broken_runs, refused) -> None:
    for words in (["evaluate", run], ["search", run, "--text", "fog"], ["fit", f"init_from={run}"]):
        assert expected in refused(*words)


@pytest.mark.slow
def test_a_run_of_another_stage(tiny_runs: TinyRuns, refused) -> None:
    for words in (["evaluate", tiny_runs.pretrained], ["search", tiny_runs.pretrained, "--text", "fog"]):
        assert "is of stage 'pretrain'; one of stage 'align' is needed here" in refused(*words)


@pytest.mark.slow
def test_an_evaluation_that_cannot_be_done(tiny_runs: TinyRuns, here: Path, refused) -> None:
    assert "corpus.yaml" in refused("evaluate", tiny_runs.aligned, "--corpus", here)
    wells(here / "wells")
    message = refused("evaluate", tiny_runs.aligned, "--corpus", here / "wells", "--split", "train")
    assert "no rows in the split 'train'" in message


@pytest.mark.slow
def test_questions_that_cannot_be_answered(tiny_runs: TinyRuns, here: Path, refused) -> None:
    search = ("search", tiny_runs.aligned)
    name = str(Corpus.load(tiny_runs.corpus).ids[0])
    assert f"near are '{name}'" in refused(*search, "--like", name[:-1])
    assert "--text is empty" in refused(*search, "--text", "  ")
    assert "--top is 0; it must be at least 1" in refused(*search, "--text", "fog", "--top", "0")
    assert "which is not there" in refused(*search, "--series", "nowhere.csv")
    (here / "strange.csv").write_text("time,temperature,mood\n2024-01-01,3,good\n")
    message = refused(*search, "--series", "strange.csv")
    assert "the column 'mood' is no channel of the corpus; the channels are temperature" in message
    (here / "short.csv").write_text("temperature\n1\n2\n")
    assert "has 2 rows; the model needs at least a patch of 6" in refused(*search, "--series", "short.csv")


@pytest.mark.slow
def test_a_strange_picture_is_refused_before_the_work(tiny_runs: TinyRuns, refused, monkeypatch) -> None:
    def too_late(*_: object) -> None:
        raise AssertionError("the run was opened")

    monkeypatch.setattr("trace_lit.inference.load.open_checkpoint", too_late)
    for name in ("hits.docx", "hits"):
        message = refused("search", tiny_runs.aligned, "--text", "fog", "--plot", name)
        assert f"{name}: a picture's name ends in one of" in message
        assert "a picture's name ends in one of" in refused("data", "show", tiny_runs.corpus, "--plot", name)


def test_an_option_that_there_is_not(capsys) -> None:
    for words in (
        ["evaluate", "run", "--slpit", "test"],
        ["fit", "--rseume", "auto"],
        ["search", "run", "--txet", "fog"],
    ):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 2
        assert "trace-lit" in capsys.readouterr().err


def test_a_search_asks_one_question(refused) -> None:
    assert "give one of --text, --series and --like; none was given" in refused("search", "run")
    assert "text and like was given" in refused("search", "run", "--text", "fog", "--like", "x")
    assert "so is --corpus; give one" in refused("search", "run", "--text", "fog", "--series", "a", "--corpus", "b")


def test_what_cannot_be_compared(here: Path, refused) -> None:
    (here / "empty").mkdir()
    assert "nowhere does not exist; give run folders" in refused("compare", "nowhere")
    assert "empty is not a run folder" in refused("compare", "empty", "--json", "table.json")


def test_a_defect_shows_its_trace(monkeypatch, here: Path) -> None:
    """Only what the person at the keyboard can mend is told in one line."""

    def defect(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("trace_lit.settings.load_config", defect)
    with pytest.raises(ZeroDivisionError):
        main(["fit"])


# Where there is no terminal


@pytest.mark.slow
def test_the_normal_path_is_quiet_and_plain(
    tiny_runs: TinyRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        made = run_warm(words)
        assert (made.code, made.err) == (0, "")
        assert "\x1b" not in made.out  # no colours
        assert "\r" not in made.out  # no bars
        return made.out

    words = [word for word in tiny_runs.words if "cache_dir" not in word]  # texts are encoded for the first time
    caches = ["text.cache_dir=texts", "stage=align", f"init_from={tiny_runs.pretrained}"]
    output = run("fit", *words, *caches, "--overwrite", "run.dir=out").splitlines()
    assert output[0] == "align → out/weather/align/default"
    epochs = [line for line in output if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1/2", "2/2"]
    assert all("train/loss" in line and "validation/text_to_series/pair/MRR" in line for line in epochs)
    assert any(line.startswith("done: out/weather/align/default") for line in output)
    assert "random ranker" in run("evaluate", "out/weather/align/default")
