from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from trace_lit.atomic import remove_parts, replacing
from trace_lit.modules import AtomicCheckpointIO, CheckpointError

LIMIT = 100_000


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Files end at `LIMIT` bytes, with the error that the system gives then."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, former[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    place = tmp_path / "checkpoints" / "last.ckpt"
    for step in range(2):
        AtomicCheckpointIO().save_checkpoint({"weight": torch.full((3,), float(step))}, place)
        assert torch.load(place, weights_only=True)["weight"].tolist() == [step] * 3
    assert [path.name for path in place.parent.iterdir()] == ["last.ckpt"]


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    place = tmp_path / "last.ckpt"
    large = {"weight": torch.ones(LIMIT)}
    with pytest.raises(CheckpointError, match=r"last\.ckpt could not be written: File too large\..*There is none"):
        AtomicCheckpointIO().save_checkpoint(large, place)
    AtomicCheckpointIO().save_checkpoint({"step": 1}, place)
    with pytest.raises(CheckpointError, match=r"It takes 0\.4 MB, .* MB are free\..* intact; .* --resume auto"):
        AtomicCheckpointIO().save_checkpoint(large, place)
    assert torch.load(place, weights_only=True) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="could not be written: File exists"):
        AtomicCheckpointIO().save_checkpoint({}, tmp_path / "file" / "last.ckpt")


def test_other_errors_are_not_taken_for_the_disk_s(tmp_path: Path) -> None:
    class Unwritable:
        def __reduce__(self) -> None:
            raise RuntimeError("no state")

    with pytest.raises(RuntimeError, match="no state"):
        AtomicCheckpointIO().save_checkpoint({"it": Unwritable()}, tmp_path / "last.ckpt")
    assert not list(tmp_path.iterdir())


def test_all_is_on_the_disk_before_the_name_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "file"
    place.write_text("before")
    seen = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        seen.append((place.read_text(), [part.read_text() for part in tmp_path.glob(".file.*")]))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", watched)
    with replacing(place) as file:
        file.write(b"after")
    assert seen == [("before", ["after"]), ("after", [])]  # the file, then its folder
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "broken disk")))
    with pytest.raises(OSError, match="broken disk"), replacing(place) as file:
        file.write(b"later")
    assert place.read_text() == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_leaves_is_removed(tmp_path: Path) -> None:
    for name in (".last.ckpt.123.part", "last.ckpt", ".other"):
        (tmp_path / name).write_text("")
    remove_parts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", ".other"}
