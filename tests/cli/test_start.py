"""How quickly and plainly the command answers before it does anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from data_modules import write_corpus
from data_modules.sources import generated
from trace_lit.cli import COMMANDS, command_names, main
from trace_lit.shadowing import check_packages

HEAVY = ("torch", "lightning", "transformers", "torchmetrics", "matplotlib", "pandas", "sklearn", "datasets")
HERE = str(Path(__file__).parents[2])


def modules_after(code: str, place: Path) -> tuple[set[str], str]:
    """Those of `HEAVY` that a fresh Python has imported after `code`, and what it printed."""
    code = f"import sys\n{code}\nprint('imported', *[name for name in {HEAVY} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": HERE}
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    *_, last = made.stdout.splitlines()
    return set(last.split()[1:]), made.stdout + made.stderr


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ([], 0, "COMMAND"),
        (["--help"], 0, "COMMAND"),
        (["--version"], 0, "trace-lit 0."),
        (["serch"], 2, "error: no command 'serch'; did you mean search?"),
        (["fit", "--help"], 0, "examples:"),
        (["fit", "no.such=1"], 2, "no key 'no.such'"),
        (["fit", "seed=0,1", "no.such=1"], 2, "no key 'no.such'"),
        (["fit", "init_from=nowhere"], 2, "nowhere does not exist"),
        (["fit", "--resume", "nowhere"], 2, "nowhere does not exist"),
        (["search", "nowhere", "--text", "x"], 2, "nowhere does not exist"),
        (["evaluate", "nowhere"], 2, "nowhere does not exist"),
        (["predict", "nowhere"], 2, "nowhere does not exist"),
        (["search", "univrsal", "--text", "x"], 2, "univrsal does not exist (the nearest is universal)"),
        (["search", "universal", "--text", "x"], 2, "say what is searched by --corpus FOLDER, or --series FILE.csv"),
        (
            ["search", "universal", "--text", "x", "--series", "metre.csv"],
            2,
            "--series is metre.csv, which is not there (the nearest is meter.csv); it must be a table",
        ),
        (
            ["search", "universal", "--text", "x", "--corpus", "nowhere"],
            2,
            "--corpus is nowhere, which is not there; it must be a corpus folder or a table",
        ),
        (
            ["predict", "universal", "--series", "metre.csv"],
            2,
            "--series is metre.csv, which is not there (the nearest",
        ),
        (["serve", "universal", "--corpus", "nowhere"], 2, "--corpus is nowhere, which is not there"),
        (["data"], 2, "{build,guess,append,validate,show}"),
        (["data", "guess", "meter.csv"], 2, "meter.csv is a file; name the folder that it lies in"),
        (["data", "guess", "nowhere"], 2, "there is no folder nowhere"),
        (["data", "build", "--root", "nowhere", "--out", "c"], 2, "--root is nowhere, and there is no such folder"),
        (
            ["data", "build", "--source", "tables", "--root", ".", "--out", "c"],
            2,
            "needs a YAML file that says what the files are; `trace-lit data guess . > tables.yaml` writes a first one",
        ),
        (
            ["data", "build", "--source", "tables", "--root", ".", "--out", "c", "meters.yaml"],
            2,
            "there is no file meters.yaml (the nearest is meter.yaml)",
        ),
        (["fit", "meters.yaml"], 2, "no configuration file meters.yaml (the nearest is meter.yaml)"),
        (["compare", "nowhere"], 2, "nowhere does not exist"),
        (["info", "nowhere"], 2, "nowhere does not exist"),
        (["runs"], 2, "there is no folder runs here"),
        (["keys", "text"], 0, "text.cache_dir"),
        (["--print-completion", "bash"], 0, "complete"),
    ],
)
def test_nothing_heavy_is_imported_before_the_words_are_checked(
    words: list[str], code: int, expected: str, tmp_path: Path
) -> None:
    for name in ("meter.csv", "meter.yaml"):
        (tmp_path / name).touch()
    call = (
        f"from trace_lit.cli import main\ntry:\n    code = main({words!r})\nexcept SystemExit as left:\n"
        f"    code = left.code\nassert code == {code}, code"
    )
    heavy, output = modules_after(call, tmp_path)
    assert expected in output
    assert heavy == set()


def test_importing_the_packages_is_cheap(tmp_path: Path) -> None:
    assert (
        modules_after("import trace_lit, data_modules, callbacks, trace_lit.runs, trace_lit.modules", tmp_path)[0]
        == set()
    )
    heavy, _ = modules_after("from data_modules import Corpus, build_corpus, validate_corpus", tmp_path)
    assert heavy <= {"torch"}


def test_a_search_imports_torch_alone_and_its_threads_wait_without_taking_a_core(tmp_path: Path) -> None:
    info, records = generated.weather(instances=16, length=24, seed=0)
    corpus = write_corpus(records, info, tmp_path / "corpus").path
    call = (
        "import os\nfrom trace_lit.cli import main\nos.environ.pop('OMP_WAIT_POLICY', None)\n"
        f"assert main(['search', 'universal', '--text', 'fog', '--corpus', {str(corpus)!r}, '--top', '1']) == 0\n"
        "print(os.environ['OMP_WAIT_POLICY'])"
    )
    heavy, output = modules_after(call, tmp_path)
    assert heavy == {"torch"}
    assert "PASSIVE" in output


def test_a_command_is_named_after_its_file() -> None:
    assert len(set(command_names())) == len(COMMANDS)
    for name in command_names():
        with pytest.raises(SystemExit) as left:
            main([name, "--help"])
        assert left.value.code == 0


def test_an_unknown_command_that_is_like_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abracadabra"]) == 2
    assert "there are data, fit" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", shell])
    assert left.value.code == 0
    output = capsys.readouterr().out
    for word in (*command_names(), "validate", "--overwrite", "--text", "seasonal_naive"):
        assert word in output


def test_bash_takes_the_completion(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    function = re.search(r"complete .*-F (\w+) trace-lit", script.read_text())
    assert function
    asked = f'source {script}; COMP_WORDS=(trace-lit ev); COMP_CWORD=1; {function[1]}; echo "${{COMPREPLY[@]}}"'
    made = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["evaluate"]


# A user's own files of the packages' names

RAISES = 'raise RuntimeError("this file is the user\'s own")\n'


def test_a_package_that_is_hidden_is_named(tmp_path: Path) -> None:
    check_packages()
    (tmp_path / "callbacks.py").write_text(RAISES)
    call = "from trace_lit.cli import main\nassert main(['keys']) == 2"
    _, output = modules_after(call, tmp_path)  # `python -c` searches the current folder first
    assert f"error: {tmp_path / 'callbacks.py'} hides trace_lit's own package 'callbacks': rename it" in output
    assert len(output.strip().splitlines()) == 2


@pytest.mark.parametrize("module", ["trace_lit", "trace_lit.cli"])
def test_python_m_does_not_take_the_users_files(module: str, tmp_path: Path) -> None:
    for name in ("callbacks.py", "data_modules.py"):
        (tmp_path / name).write_text(RAISES)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    made = subprocess.run(
        [sys.executable, "-m", module, "data", "build", "--domain", "weather", "--out", "c", "instances=20"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": HERE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert "20 instances" in made.stdout


@pytest.mark.parametrize("words", ["--help", "--print-completion bash"])
def test_a_reader_that_has_left_is_no_error(words: str, tmp_path: Path) -> None:
    code = f"import sys; from trace_lit.cli import main; sys.exit(main({words.split()!r}))"
    environment = {**os.environ, "PYTHONPATH": HERE, "PYTHONUNBUFFERED": "1"}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        made = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert (made.returncode, made.stderr) == (0, b"")
