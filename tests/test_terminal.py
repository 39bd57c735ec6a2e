import io

from rich.console import Console

from trace_lit.terminal import Column, add_row, line, new_table


def printed(what, terminal=False) -> str:
    console = Console(file=io.StringIO(), width=60, force_terminal=terminal, color_system=None)
    console.print(what)
    return console.file.getvalue()


def test_what_steers_a_terminal_is_written_out():
    assert printed(line("a\x1b]0;title\x07b\x9b31m\u202ec")).strip() == r"a\x1b]0;title\x07b\x9b31m\u202ec"


def test_texts_of_any_script_and_markup_stay_as_they_are():
    text = "[bold]Ελληνικά[/bold] 日本語 👩\u200d🔬"
    assert printed(line(text)).strip() == text


def test_a_table_is_ruled_in_a_terminal_only_and_its_cells_are_plain():
    for terminal in (True, False):
        console = Console(file=io.StringIO(), width=60, force_terminal=terminal, color_system=None)
        table = new_table(console, ["name", Column("count", right=True)], "of [red]\x1b things")
        add_row(table, "[dim]x[/dim]\x1b[2J", "7", style="dim")
        console.print(table)
        text = console.file.getvalue()
        assert ("─" in text) == terminal
        assert "[dim]x[/dim]\\x1b[2J" in text
        assert "of [red]\\x1b things" in text
        assert "\x1b" not in text.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[3m", "")
