from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from trace_lit.plain import PlainError, is_plain_name, parse_yaml, read_json, read_yaml, to_json


def bomb(levels: int, width: int) -> str:
    """YAML of a few lines whose aliases stand for width ** levels texts."""
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (bomb(12, 9), "counting what its aliases stand for"),
        ("a: &a [*a]", "stands for nothing, or for itself"),
        ("a: *b", "b"),
        ("[" * 1000 + "]" * 1000, "nested deeper than 50 levels"),
        ("{a: " * 1000 + "1" + "}" * 1000, "nested deeper than 50 levels"),
        (f"seed: {'9' * 5000}", "a number of 5,000 digits; 20 are allowed"),
        (f"seed: {':'.join(['59'] * 5000)}", "a number of"),
        (f"seed: 0x{'f' * 5000}", "a number of"),
        ("day: 2024-13-45", "month must be in 1..12"),
        ("? [a, b]\n: 1", "unhashable"),
        ("a: [", "(line 2)"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("x" * 3_000_000, "3,000,000 characters; 2,097,152 are allowed"),
    ],
)
def test_yaml_out_of_bounds_is_refused_at_once(text: str, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(PlainError) as refused:
        parse_yaml(text)
    assert reason in str(refused.value)
    assert time.process_time() - began < 2  # it takes milliseconds; what a text would become takes all memory


@pytest.mark.parametrize("begin", ["0b1bb0cff53b2c78", "0o19ab", "12e4", "00ff"])
def test_a_checksum_is_read_as_text_whatever_it_begins_with(begin: str) -> None:
    checksum = begin.ljust(64, "c")
    assert parse_yaml(f"fingerprint: {checksum}") == {"fingerprint": checksum}


def test_aliases_within_bounds_are_read() -> None:
    assert parse_yaml("a: &a {b: 1}\nc: *a\nd: [*a, *a]") == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}] * 2}
    assert len(parse_yaml(bomb(3, 9))["a2"]) == 9


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"{", b""])
def test_json_that_is_none_is_refused(content: bytes, tmp_path) -> None:
    (tmp_path / "metrics.json").write_bytes(content)
    with pytest.raises(PlainError):
        read_json(tmp_path / "metrics.json")


def test_a_file_of_any_size_is_read_within_the_bound(tmp_path) -> None:
    with (tmp_path / "corpus.yaml").open("wb") as file:
        file.truncate(10**11)  # of zeros, without room on the disk
    with pytest.raises(PlainError, match="100,000,000,000 bytes; 2,097,152 are allowed"):
        read_yaml(tmp_path / "corpus.yaml")


def test_json_is_strict_and_steers_no_terminal() -> None:
    content = {
        "mean": float("nan"),
        "ci95": [1.0, float("inf")],
        "id": "a\x1b]0;x\x07 \x9b1m \u202e",
        "n": (1, True, None),
    }
    text = to_json(content)
    assert not [letter for letter in text if letter != "\n" and not letter.isprintable()]
    read = json.loads(text, parse_constant=pytest.fail)
    assert read == {"mean": None, "ci95": [1.0, None], "id": content["id"], "n": [1, True, None]}


@pytest.mark.parametrize("name", ["first", "sweep-3", "007", "12:30:00", "Zürich 2", "a.b", "_x", "lr=1e-3"])
def test_plain_names(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../up",
        "a/b",
        "/root",
        "a\\b",
        ".hidden",
        "a\nb",
        "a\x00b",
        "-rf",
        "\x1b[2J",
        "a" * 201,
        7,
        None,
        "a.",
    ],
)
def test_no_plain_names(name: object) -> None:
    assert not is_plain_name(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "about.yaml")
    with pytest.raises(PlainError, match="a pipe"):
        read_yaml(tmp_path / "about.yaml")
