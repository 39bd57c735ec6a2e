from __future__ import annotations

import io
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from trace_lit.modules import CheckpointError
from trace_lit.runs.compare import compare_runs, without_seed
from trace_lit.runs.tables import print_comparison, tables, to_json, to_markdown
from trace_lit.settings import load_config, to_yaml

MRR, P1 = "test/text_to_series/pair/MRR", "test/text_to_series/pair/P@1"
Recorder = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Recorder:
    """A run folder as training leaves it, without the training: its name, words of the configuration, and metrics."""

    def record(name: str, *words: str, metrics: dict[str, Any] | None = None, domain: str = "weather") -> Path:
        config = load_config([], [*words, f"run.name={name}"])
        folder = tmp_path / "runs" / domain / config.stage / name
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(to_yaml(config))
        own = {"run/data_fingerprint": "abc", "fit/seconds": 60.0, "fit/samples_per_second": 100.0}
        own |= {"last/validation/loss": 1.0, MRR: 0.5, f"{MRR}/ci95": [0.4, 0.6], **(metrics or {})}
        (folder / "metrics.json").write_text(json.dumps({key: v for key, v in own.items() if v is not None}))
        return folder

    return record


def parsed(markdown: str) -> dict[str, list[str]]:
    """The cells of each row by its name; every line of a table must have as many cells."""
    found = {}
    for block in markdown.split("\n\n"):
        lines = [line.strip("|").split(" | ") for line in block.splitlines() if line.startswith("|")]
        assert len({len(cells) for cells in lines}) <= 1
        found |= {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}
    return found


def test_forecasts_of_other_horizons_are_other_rows(record: Recorder) -> None:
    def tuned(name: str, horizon: int) -> Path:
        words = ("stage=tune", f"window.horizon={horizon}")
        return record(name, *words, metrics={"test/MSE": horizon / 100, MRR: None, f"{MRR}/ci95": None})

    apart = parsed(to_markdown(compare_runs([tuned("a", 12), tuned("b", 48)])))
    assert apart["test/MSE (12 steps)"] == ["0.120", "–"]
    assert apart["test/MSE (48 steps)"] == ["–", "0.480"]
    assert "test/MSE" in parsed(to_markdown(compare_runs([tuned("c", 12), tuned("d", 12)])))


# Which runs are a column


def test_runs_that_differ_in_the_seed_alone_are_a_column_with_mean_and_deviation(record: Recorder) -> None:
    scores = [0.40, 0.46, 0.43]
    runs = [record(f"first-seed{seed}", f"seed={seed}", metrics={MRR: scores[seed]}) for seed in range(3)]
    other = record("other", "optim.learning_rate=0.5")
    output = parsed(to_markdown(compare_runs([*runs, other])))
    assert output["metric"] == ["first (seeds 0, 1, 2)", "other"]
    mean, deviation = statistics.mean(scores), statistics.stdev(scores)
    assert output[MRR] == [f"{mean:.3f} ± {deviation:.3f}", "0.500 [0.400, 0.600]"]
    assert output["seed"] == ["0, 1, 2", "0"]
    each = parsed(to_markdown(compare_runs([*runs, other], each=True)))
    assert each["metric"] == ["first-seed0", "first-seed1", "first-seed2", "other"]
    assert [cell.split()[0] for cell in each[MRR]] == ["0.400", "0.460", "0.430", "0.500"]


def test_the_second_stage_of_several_seeds_is_a_column(record: Recorder) -> None:
    """Each starts from the pre-trained run of its own seed."""
    runs = [
        record(f"first-seed{seed}", f"seed={seed}", "stage=align", f"init_from=runs/weather/pretrain/first-seed{seed}")
        for seed in (0, 1)
    ]
    assert len(compare_runs(runs).columns) == 1
    stranger = record("other", "seed=2", "stage=align", "init_from=runs/weather/pretrain/other-seed2")
    comparison = compare_runs([*runs, stranger])
    assert comparison.settings["init_from"] == [
        ["runs/weather/pretrain/first"],
        ["runs/weather/pretrain/other-seed2"],
    ]


def test_what_is_no_spread_over_seeds_is_no_column(record: Recorder) -> None:
    runs = [
        record("a", "seed=0"),
        record("again", "seed=0"),  # the same seed once more
        record("b", "seed=1", metrics={"run/data_fingerprint": "def"}),  # other data
        record("c", "seed=2", "encoder.layers=2"),
    ]
    comparison = compare_runs(runs)
    assert [column.title for column in comparison.columns] == ["a", "again", "b", "c"]
    assert comparison.settings["data fingerprint"] == [["abc"], ["abc"], ["def"], ["abc"]]


@pytest.mark.parametrize(
    ("name", "seed", "bare"),
    [
        ("first-seed3", 3, "first"),
        ("sweep_3", 3, "sweep"),
        ("runs/x/first-seed3/checkpoints/best.ckpt", 3, "runs/x/first/checkpoints/best.ckpt"),
        ("first-seed13", 3, "first-seed13"),
        ("width64", 4, "width64"),
        ("first-seed3", 1, "first-seed3"),
    ],
)
def test_a_name_without_its_seed(name: str, seed: int, bare: str) -> None:
    assert without_seed(name, seed) == bare


def test_titles_tell_the_columns_apart(record: Recorder, tmp_path: Path) -> None:
    runs = [record("first"), record("first", "stage=align"), record("first", domain="energy")]
    titles = [column.title for column in compare_runs(runs).columns]
    assert titles == ["weather/pretrain/first", "weather/align/first", "energy/pretrain/first"]
    assert [column.title for column in compare_runs(runs[:2]).columns] == ["pretrain/first", "align/first"]
    copy = tmp_path / "copy" / "weather" / "pretrain" / "first"
    copy.mkdir(parents=True)
    for name in ("config.yaml", "metrics.json"):
        (copy / name).write_bytes((runs[0] / name).read_bytes())
    assert [column.title for column in compare_runs([runs[0], copy]).columns] == [str(runs[0]), str(copy)]


def test_a_folder_stands_for_the_runs_below_it(record: Recorder, tmp_path: Path) -> None:
    runs = [record("a"), record("b", "seed=1", "encoder.layers=2"), record("c", "stage=align")]
    unfinished = record("young", "stage=align")
    (unfinished / "metrics.json").unlink()
    replaced = tmp_path / "runs" / "weather" / "align" / ".c.former"
    replaced.mkdir()
    (replaced / "config.yaml").write_bytes((runs[2] / "config.yaml").read_bytes())
    comparison = compare_runs([tmp_path / "runs", runs[0]])
    assert {run.folder for column in comparison.columns for run in column.runs} == set(runs)
    assert comparison.unfinished == [unfinished]
    assert f"without metrics yet: {unfinished}." in to_markdown(comparison)


# What is shown


def test_only_settings_that_differ_are_shown(record: Recorder) -> None:
    comparison = compare_runs([record("a", "encoder.layers=2"), record("b", "optim.ema_decay=0.9", "encoder.layers=2")])
    assert comparison.settings == {"optim.ema_decay": [[None], [0.9]]}
    assert parsed(to_markdown(comparison))["optim.ema_decay"] == ["null", "0.9"]
    assert compare_runs([record("c")]).settings == {}


def test_threads_are_shown_where_they_differ_and_make_no_other_recipe(record: Recorder) -> None:
    """Roundings depend on them, so the numbers of two runs may."""
    one, two, seed = (
        record(name, f"trainer.threads={threads}", f"seed={seed}")
        for name, threads, seed in (("a", 1, 0), ("b", 2, 0), ("a-1", 2, 1))
    )
    assert compare_runs([one, two]).settings == {"trainer.threads": [[1], [2]]}
    assert len(compare_runs([one, seed]).columns) == 1
    assert compare_runs([one, seed]).settings == {}


def test_a_setting_that_an_older_version_did_not_have_stands_at_its_default(record: Recorder) -> None:
    old, new = record("old"), record("new", "optim.base_batch=64")
    lines = (old / "config.yaml").read_text().splitlines(keepends=True)
    (old / "config.yaml").write_text("".join(line for line in lines if "base_batch" not in line))
    assert compare_runs([old, new]).settings == {"optim.base_batch": [[128], [64]]}


def test_the_split_is_one_that_all_runs_have_been_measured_on(record: Recorder) -> None:
    last = "last/validation/text_to_series/pair/MRR"
    tested = record("tested", metrics={last: 0.3})
    trained = record("trained", "seed=1", "encoder.layers=2", metrics={last: 0.2, MRR: None})
    assert set(compare_runs([tested]).metrics) == {MRR, "last/validation/loss"}
    assert set(compare_runs([tested, trained]).metrics) == {last, "last/validation/loss"}


def test_details_are_shown_when_asked_for(record: Recorder) -> None:
    details = {
        "test/random/text_to_series/pair/MRR": 0.01,
        "test/pool/instances": 7,
        "test/series_to_text/pair/P@10": 0.9,
    }
    run = record("a", metrics={P1: 0.25, **details})
    assert list(compare_runs([run]).metrics) == [MRR, P1, "last/validation/loss"]  # the loss at the end
    assert set(compare_runs([run], details=True).metrics) == {MRR, P1, "last/validation/loss", *details}
    assert set(compare_runs([run], "random|pool").metrics) == {
        "test/random/text_to_series/pair/MRR",
        "test/pool/instances",
    }


def test_a_stage_that_is_yet_to_come_compares_as_well(record: Recorder) -> None:
    """Nothing depends on what the metrics are called."""
    metrics = {"test/forecast/MAE": 0.31, "test/forecast/MAE/ci95": [0.3, 0.32], "test/AUROC": 0.75, MRR: None}
    output = parsed(
        to_markdown(compare_runs([record("a", metrics=metrics), record("b", "seed=4", "encoder.layers=3")]))
    )
    assert "test/AUROC" in output
    assert output["test/forecast/MAE"] == ["0.310 [0.300, 0.320]", "–"]


@pytest.mark.parametrize(("seconds", "expected"), [(95.25, "95.250 s"), (600.0, "10.000 min"), (9000.0, "2.500 h")])
def test_the_cost_of_a_run(record: Recorder, seconds: float, expected: str) -> None:
    run = record("a", metrics={"fit/seconds": seconds, "fit/samples_per_second": 4321.0, "fit/parameters": 1234567.0})
    rows = parsed(to_markdown(compare_runs([run])))
    assert (rows["wall time"], rows["samples per second"], rows["parameters"]) == ([expected], ["4,321"], ["1,234,567"])


def test_json_holds_the_numbers_and_is_json(record: Recorder) -> None:
    scores = [0.40, 0.46]
    runs = [record(f"a-{seed}", f"seed={seed}", metrics={MRR: scores[seed], P1: float("nan")}) for seed in (0, 1)]
    runs.append(record("b", "encoder.layers=2", metrics={P1: 0.1}))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content = json.loads(to_json(compare_runs(runs)), parse_constant=refuse)
    group, single = content["metrics"][MRR]
    assert group == {"mean": pytest.approx(0.43), "deviation": statistics.stdev(scores), "values": scores, "ci95": None}
    assert (single["mean"], single["deviation"], single["ci95"]) == (0.5, None, [0.4, 0.6])
    assert content["metrics"][P1][0] is None  # it was not a number
    assert [column["seeds"] for column in content["columns"]] == [[0, 1], [0]]
    assert content["cost"]["fit/seconds"][0]["mean"] == 60
    assert content["settings"]["encoder.layers"] == [[6], [2]]


def test_markdown_keeps_its_columns_whatever_stands_in_a_cell(record: Recorder) -> None:
    runs = [record("a"), record("b", "text.query_prefix='ask | '")]
    line = next(line for line in to_markdown(compare_runs(runs)).splitlines() if "query_prefix" in line)
    assert line.replace(r"\|", "").count("|") == 4


def test_a_terminal_shows_the_same_cells(record: Recorder) -> None:
    comparison = compare_runs([record("a"), record("b", "optim.learning_rate=0.25")])
    out = io.StringIO()
    print_comparison(comparison, Console(file=out, force_terminal=True, width=200))
    for table in tables(comparison):
        assert all(cell in out.getvalue() for row in (table.header[1:], *table.rows) for cell in row)


# What cannot be compared


def test_what_is_no_run_is_refused(record: Recorder, tmp_path: Path) -> None:
    run, empty = record("a"), tmp_path / "empty"
    empty.mkdir()
    for place, message in (("nowhere", "does not exist; give run folders"), (empty, "is not a run folder")):
        with pytest.raises(CheckpointError, match=message):
            compare_runs([run, place])
    (run / "metrics.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"metrics\.json cannot be read, it is damaged"):
        compare_runs([run])
    (run / "metrics.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no metrics yet; its metrics.json is written when training ends"):
        compare_runs([run])
    with pytest.raises(CheckpointError, match="none of the 1 runs below it has metrics yet"):
        compare_runs([tmp_path / "runs"])


def test_a_damaged_configuration_is_refused(record: Recorder) -> None:
    run = record("a")
    for content in ("seed: [", "just a word"):
        (run / "config.yaml").write_text(content)
        with pytest.raises(CheckpointError, match=r"config\.yaml cannot be read, it is damaged"):
            compare_runs([run])


def test_a_pattern_that_finds_nothing_is_refused(record: Recorder) -> None:
    run = record("a")
    with pytest.raises(CheckpointError, match=r"no metric of these runs has 'MSE' in its name; there are .*MRR"):
        compare_runs([run], "MSE")
    with pytest.raises(CheckpointError, match=r"'\(' is not a regular expression"):
        compare_runs([run], "(")
