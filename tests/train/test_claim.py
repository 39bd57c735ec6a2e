"""A run's folder after a process was killed at any moment of claiming it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trace_lit.config import ConfigError
from trace_lit.train.claim import check_free, claimed, is_begun, settle


def write_run(folder: Path, content: str, saved: bool = True) -> None:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text(content)
    if saved:
        (folder / "checkpoints" / "last.ckpt").write_text(content)


def read(folder: Path) -> str:
    return (folder / "checkpoints" / "last.ckpt").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "first"


@pytest.mark.parametrize("names", [(), (".config.yaml.12345.part",), ("config.yaml",), ("config.yaml", "run.json")])
def test_what_was_killed_before_it_saved_anything_begins_anew(names: tuple[str, ...], run: Path) -> None:
    (run / "checkpoints").mkdir(parents=True)
    for name in names:
        (run / name).write_text("cut")
    settle(run)
    check_free(run, overwrite=False)
    with claimed(run, overwrite=False, go_on=False):
        assert not list(run.iterdir())
        write_run(run, "new")
    assert read(run) == "new"


@pytest.mark.parametrize("name", ["notes.txt", "checkpoints/mine.pt", "metrics.json"])
def test_anything_else_is_not_taken_for_a_run_that_was_begun(name: str, run: Path) -> None:
    write_run(run, "old", saved=False)
    (run / name).write_text("mine")
    assert not is_begun(run)
    with pytest.raises(ConfigError, match="exists"), claimed(run, overwrite=False, go_on=False):
        pass
    assert (run / name).read_text() == "mine"


def killed_while(run: Path, saved: bool) -> None:
    """Leave what a process leaves that is killed while the successor of the run trains."""
    former = run.with_name(f".{run.name}.former")
    run.rename(former)
    write_run(run, "new", saved)


def test_the_former_run_stays_until_its_successor_has_saved(run: Path) -> None:
    write_run(run, "old")
    killed_while(run, saved=False)
    settle(run, overwrite=True)  # the same words again
    with pytest.raises(ZeroDivisionError), claimed(run, overwrite=True, go_on=False):
        1 / len(list(run.iterdir()))  # it is empty
    assert read(run) == "old"
    assert [place.name for place in run.parent.iterdir()] == ["first"]


def test_who_does_not_overwrite_finds_the_former_run_again(run: Path) -> None:
    write_run(run, "old")
    killed_while(run, saved=False)
    settle(run, overwrite=False)
    assert read(run) == "old"
    with pytest.raises(ConfigError, match="exists"):
        check_free(run, overwrite=False)


def test_killed_between_two_renames_the_former_run_is_there_again(run: Path) -> None:
    write_run(run, "old")
    run.rename(run.with_name(".first.former"))
    settle(run, overwrite=True)
    assert read(run) == "old"


def test_a_successor_that_has_saved_takes_the_place(run: Path) -> None:
    write_run(run, "old")
    (run / "notes.txt").write_text("mine")
    killed_while(run, saved=True)
    settle(run)
    assert read(run) == "new"
    assert (run / "notes.txt").read_text() == "mine"
    assert [place.name for place in run.parent.iterdir()] == ["first"]


def test_what_both_hold_is_kept_beside_the_new_run(run: Path) -> None:
    write_run(run, "old")
    (run / "notes.txt").write_text("of the old")
    with claimed(run, overwrite=True, go_on=False):
        write_run(run, "new")
        (run / "notes.txt").write_text("of the new")
    assert (run / "notes.txt").read_text() == "of the new"
    assert (run.with_name("first.former") / "notes.txt").read_text() == "of the old"
