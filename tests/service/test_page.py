"""The page in a real browser: what a visitor does, what goes wrong, and whether everybody can use it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_modules import Corpus
from tests.conftest import TinyRuns
from tests.service.conftest import TOKEN, Process, running
from trace_lit.cli import main

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here: apt-get install chromium"),
]
expect = playwright.expect
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as own:
        chromium = own.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, service: Process) -> Iterator[Any]:
    """The start page, in a window of its own. Nothing may fail in it, and nothing be fetched from elsewhere."""
    yield from visit(browser, service.url)


def visit(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900}, **options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    own = ("blob:", "data:", url.partition("#")[0])
    page.on("request", lambda asked: None if asked.url.startswith(own) else problems.append(asked.url))
    page.goto(url)
    yield page
    context.close()
    assert problems == []


def ask(page: Any, words: str) -> None:
    page.get_by_label("A question in words").fill(words)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("article.card .uplot canvas").first).to_be_visible()


def ids(page: Any) -> list[str]:
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    return page.locator("article.card[data-id]").evaluate_all("cards => cards.map(card => card.dataset.id)")


def write_window(corpus: Corpus, row: int, path: Path) -> Path:
    columns = {channel.key: own for channel, own in zip(corpus.info.channels, corpus.values()[row], strict=True)}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def drop(page: Any, name: str, text: str) -> None:
    """A file with this text on the page."""
    script = """([name, text]) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name, { type: "text/csv" }));
        for (const kind of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
    }"""
    page.evaluate(script, [name, text])


def hits_heading(page: Any) -> Any:
    """The heading of the hits; that of a dialog which is closing may still be on the page."""
    return page.get_by_role("region", name="Hits").get_by_role("heading", level=2)


def check_accessible(page: Any) -> None:
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_question_is_answered_with_charts_and_reasons(page: Any, corpus: Corpus) -> None:
    expect(page.get_by_role("button", name=f"high {corpus.info.channels[0].name}")).to_be_visible()
    ask(page, "fog in the morning, then a strong wind")
    expect(hits_heading(page)).to_contain_text(f"9 hits among {len(corpus)} windows")
    card = page.locator("article.card").first
    expect(card.get_by_role("img")).to_have_count(len(corpus.info.channels))
    label = card.get_by_role("img").first.get_attribute("aria-label")
    assert re.match(r"temperature \[°C\]: from .* to .*, mean", label)
    assert card.locator(".adds").count() == len(corpus.info.channels)
    assert card.locator(".row.lit").count() > 0
    expect(card.locator(".fit")).to_contain_text(re.compile("^Fits (in|badly in) "))
    assert "9 hits" in page.locator("#status").text_content()


def test_filters_narrow_the_hits_and_can_be_cleared(page: Any, corpus: Corpus) -> None:
    ask(page, "fog")
    page.get_by_text("Filters", exact=True).click()
    label = corpus.info.label_names[int(corpus.labels[0])]
    page.get_by_label("Label").select_option(label)
    right = set(corpus.ids[corpus.labels == corpus.labels[0]])
    expect(hits_heading(page)).to_contain_text(f"among {len(right)} window")
    assert set(ids(page)) <= right
    page.get_by_label("Begins on or after").fill("2199-01-01")
    expect(page.get_by_role("heading", name="No window passes these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear the filters and search again").click()
    expect(hits_heading(page)).to_contain_text(f"among {len(corpus)} windows")


def test_a_csv_is_pasted_chosen_or_dropped(page: Any, corpus: Corpus, tmp_path: Path) -> None:
    row = int(np.flatnonzero([not np.isnan(own).any() for own in corpus.values()])[0])
    file = write_window(corpus, row, tmp_path / "window.csv")
    page.get_by_role("button", name="By a series").click()
    page.locator("#csv-file").set_input_files(file)
    expect(page.locator("article.card.query .uplot").first).to_be_visible()
    first = ids(page)
    assert first[0] == corpus.ids[row]
    page.get_by_role("button", name="Ask in words instead").click()
    (tmp_path / "of a spreadsheet.csv").write_bytes(file.read_text("utf-8").encode("cp1252"))
    page.get_by_role("button", name="By a series").click()
    page.locator("#csv-file").set_input_files(tmp_path / "of a spreadsheet.csv")
    expect(hits_heading(page)).to_contain_text("like of a spreadsheet.csv")
    assert ids(page) == first
    page.get_by_role("button", name="Ask in words instead").click()
    drop(page, "dropped.csv", file.read_text())
    expect(page.locator(".chip-words")).to_have_text("Like dropped.csv")
    expect(hits_heading(page)).to_contain_text("like dropped.csv")
    assert ids(page) == first
    page.get_by_role("button", name="By a series").click()
    page.get_by_label("or paste it").fill(file.read_text())
    page.get_by_role("button", name="Find similar windows").click()
    expect(hits_heading(page)).to_contain_text("like your series")
    assert ids(page) == first


def test_a_series_is_forecast_where_a_run_can_and_else_the_page_says_why_not(
    page: Any, service: Process, corpus: Corpus
) -> None:
    row = int(np.flatnonzero(corpus.frequencies == "1h")[-1])
    keys = [channel.key for channel in corpus.info.channels]
    frame = pd.DataFrame(corpus.values()[row].T.astype(float), columns=keys).fillna(1.0)
    times = pd.date_range(pd.Timestamp(int(corpus.starts[row]), unit="s"), periods=len(frame), freq="h")
    timed, names = frame.assign(time=times), []
    button, no = page.get_by_role("button", name="Forecast this series"), page.get_by_text("No forecast: ")

    def asked(given: pd.DataFrame) -> None:
        names.append(f"own {len(names)}.csv")
        drop(page, names[-1], given.to_csv(index=False))
        expect(hits_heading(page)).to_contain_text(f"like {names[-1]}")

    asked(frame)
    expect(no).to_have_text(re.compile("tiny needs a column of times"))
    expect(button).to_have_count(0)
    asked(timed)
    expect(no).to_have_count(0)
    page.get_by_role("button", name="Ask in words instead").click()  # the answer is still that of the series
    button.click()
    expect(page.get_by_role("dialog")).to_contain_text("look-back")
    page.keyboard.press("Escape")

    def narrower(route: Any) -> None:  # a service whose run needs the first channel and a day, not knowing the last
        info = json.loads(route.fetch().text())
        for own in info["models"]:
            if own.get("task") == "forecast":
                own["needs"] |= {"channels": keys[:1], "steps": 24}
                del own["channels"][-1]
        route.fulfill(json=info)

    page.route("**/info", narrower)
    page.goto(service.url)
    expect(page.get_by_role("button", name=f"high {corpus.info.channels[0].name}")).to_be_visible()
    asked(timed.drop(columns=keys[0]))
    expect(no).to_contain_text(f"tiny needs {keys[0]}")
    asked(timed)
    expect(no).to_contain_text(f"tiny does not know {keys[-1]}")
    asked(timed.drop(columns=keys[-1]).head(23))
    expect(no).to_contain_text("tiny needs at least 24 steps")
    asked(timed.drop(columns=keys[-1]))
    expect(button).to_be_visible()


def test_the_name_of_a_file_is_shown_as_it_is_and_fits(page: Any, corpus: Corpus, tmp_path: Path) -> None:
    text = write_window(corpus, 3, tmp_path / "window.csv").read_text()
    for name in ("rainy day.csv", f"{'w' * 120}.csv"):
        drop(page, name, text)
        heading = page.locator("article.card.query h3")
        expect(heading).to_have_text(name)
        assert heading.evaluate("heading => heading.scrollWidth - heading.clientWidth") <= 0
    drop(page, "empty.csv", "")
    expect(page.get_by_role("alert").filter(has_text="nothing in it")).to_have_text(
        "empty.csv: There is nothing in it."
    )


def test_a_file_that_is_none(page: Any, tmp_path: Path) -> None:
    (tmp_path / "mood.csv").write_text("mood\n1\n2\n")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\0\0\0")
    for name, words in (("mood.csv", "the column 'mood' is no channel"), ("picture.csv", "This is no text")):
        page.get_by_role("button", name="By a series").click()
        page.locator("#csv-file").set_input_files(tmp_path / name)
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        if name == "mood.csv":
            page.get_by_role("button", name="Change the series").click()
            expect(page.get_by_label("or paste it")).to_have_value("mood\n1\n2\n")
        page.reload()


def test_more_like_this_compare_and_back(page: Any, corpus: Corpus) -> None:
    ask(page, "fog")
    first = ids(page)
    page.get_by_role("button", name="More like this, hit 2").click()
    expect(page.locator("article.card.query")).to_be_visible()
    assert first[1] not in ids(page)
    page.get_by_role("button", name="Compare, hit 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img").first).to_have_attribute("aria-label", re.compile("^the query, temperature"))
    expect(dialog.get_by_role("table")).to_contain_text("pressure")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.go_back()
    expect(page.get_by_label("A question in words")).to_have_value("fog")
    expect(page.locator("article.card.query")).to_have_count(0)
    assert ids(page) == first


def test_a_span_over_two_years_names_both(page: Any) -> None:
    for start, end, words in (
        ("2023-09-30T22:00:00", "2024-04-01T22:00:00", "30 Sept 2023 – 1 Apr 2024, 22:00"),
        ("2024-02-01T22:00:00", "2024-04-01T22:00:00", "1 Feb – 1 Apr 2024, 22:00"),
        ("2024-03-24T20:00:00", "2024-03-25T14:00:00", "24 Mar, 20:00 – 25 Mar 2024, 14:00"),
    ):
        assert page.evaluate(f"page.span({start!r}, {end!r})") == words


def test_a_question_about_no_channel_is_said_to_be(page: Any) -> None:
    for weights, silent in (([0.98, 0.01, 0.01], True), ([0.5, 0.49, 0.01], False)):
        names = ("whole window", "temperature [°C]", "pressure [hPa]")
        channels = [{"name": name, "weight": own, "beats": 1} for name, own in zip(names, weights, strict=True)]
        hit = json.dumps({"explanation": {"channels": channels}})
        assert page.evaluate(f"page.namesNoChannel({hit})") is silent


def test_windows_of_different_steps_are_laid_over_one_another_by_time(page: Any) -> None:
    hourly = {"times": ["2020-01-01T00:00:00", "2020-01-01T01:00:00"], "channels": {"x": [1, 2]}}
    slower = {"times": ["2021-05-01T06:00:00", "2021-05-01T09:00:00"], "channels": {"x": [1, 2]}}
    daily = {"times": ["2021-05-01T00:00:00", "2021-05-02T00:00:00"], "channels": {"x": [1, 2]}}
    for windows, unit, places in (
        ([hourly, slower], "hour", [[0, 1], [0, 3]]),
        ([daily, daily], "day", [[0, 1], [0, 1]]),
        ([slower, {"times": None, "channels": {"x": [1, 2]}}], "step", [[0, 1], [0, 1]]),
    ):
        assert page.evaluate(f"page.fromStart({json.dumps(windows)})") == {"unit": unit, "places": places}


def test_a_forecast_with_its_band_and_neighbours(page: Any, corpus: Corpus) -> None:
    ask(page, "fog")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("combobox", name="Series").fill(
        str(corpus.series_ids[np.flatnonzero(corpus.frequencies == "1h")[-1]])
    )
    page.get_by_role("combobox", name="Series").press("Enter")
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Forecast, hit 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("12 steps, from")
    expect(dialog).to_contain_text("80 % band")
    expect(dialog.get_by_role("img").first).to_have_attribute("aria-label", re.compile("look-back and forecast"))
    dialog.get_by_label("Channel").select_option("pressure [hPa]")
    expect(dialog.get_by_role("img").first).to_have_attribute("aria-label", re.compile(r"^pressure"))
    dialog.get_by_text("As a table").click()
    expect(dialog.get_by_role("row")).to_have_count(13)
    check_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Classify, hit 1").click()
    expect(dialog.get_by_role("listitem")).to_have_count(len(corpus.info.label_names))


def test_a_link_holds_the_question(page: Any, browser: Any, service: Process, corpus: Corpus, tmp_path: Path) -> None:
    ask(page, "fog & <wind> #1")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Split").select_option("train")
    expect(page).to_have_url(re.compile("split=train"))
    found = ids(page)
    page.get_by_role("button", name="Copy link").click()
    for other in visit(browser, page.url):
        expect(other.get_by_label("A question in words")).to_have_value("fog & <wind> #1")
        expect(other.locator("article.card .uplot").first).to_be_visible()
        assert ids(other) == found
        expect(other.locator("#filter-count")).to_have_text("1")
    page.get_by_role("button", name="By a series").click()
    page.locator("#csv-file").set_input_files(write_window(corpus, 3, tmp_path / "window.csv"))
    expect(page.locator("article.card.query")).to_be_visible()
    for other in visit(browser, page.url):
        expect(other.locator("article.card.query")).to_be_visible()
        assert ids(other) == ids(page)


@pytest.mark.parametrize(
    ("link", "words"),
    [("#csv=AAAA&name=a.csv", "its series cannot be read"), ("#q=fog&corpus=elsewhere", "The link asks in elsewhere")],
)
def test_a_link_that_cannot_be_followed_is_said(browser: Any, service: Process, link: str, words: str) -> None:
    for page in visit(browser, service.url + "/" + link):
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        ask(page, "fog")
        expect(page.get_by_role("alert").filter(has_text=words)).to_have_count(0)


def test_hits_are_saved(page: Any, browser: Any, tmp_path: Path) -> None:
    ask(page, "fog")
    files = {}
    for name in ("Table (CSV)", "Picture (PNG)", "Page to send (HTML)"):
        page.get_by_text("Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    assert list(pd.read_csv(files["Table (CSV)"])["id"]) == ids(page)
    assert files["Picture (PNG)"].read_bytes().startswith(b"\x89PNG")
    look_at_saved(browser, files["Page to send (HTML)"], "“fog”", ids(page))


def look_at_saved(browser: Any, file: Path, title: str, expected: list[str]) -> None:
    """A saved page opens without a service."""
    for saved in visit(browser, file.as_uri()):
        expect(saved.get_by_role("heading", level=1)).to_have_text(title)
        expect(saved.locator("article.card .uplot canvas").first).to_be_visible()
        assert ids(saved) == expected
        saved.get_by_role("button", name="Compare, hit 1").click()
        expect(saved.get_by_role("dialog").get_by_role("img").first).to_be_visible()
        check_accessible(saved)


def test_the_command_saves_the_same_page(browser: Any, tiny_runs: TinyRuns, tmp_path: Path, capsys: Any) -> None:
    command = ["search", str(tiny_runs.aligned), "--text", "</script> fog", "--top", "3"]
    assert main([*command, "--html", str(tmp_path / "hits.html")]) == 0
    listed = [line.split()[2] for line in capsys.readouterr().out.splitlines() if re.match(r"\d+\. ", line)]
    look_at_saved(browser, tmp_path / "hits.html", "“</script> fog”", listed)
    assert main([*command, "--html", str(tmp_path / "hits.docx")]) == 2


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_it(browser: Any, service: Process, colours: str) -> None:
    for page in visit(browser, service.url, color_scheme=colours):
        expect(page.locator(".suggestion").first).to_be_visible()
        check_accessible(page)
        page.keyboard.press("/")
        page.keyboard.type("fog")
        page.keyboard.press("Enter")
        expect(page.locator("article.card .uplot").first).to_be_visible()
        page.get_by_text("Filters", exact=True).click()
        check_accessible(page)
        page.get_by_role("button", name="Compare, hit 1").press("Enter")
        expect(page.get_by_role("dialog").get_by_role("img").first).to_be_visible()
        check_accessible(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="By a series").press("Enter")
        check_accessible(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Switch between light and dark").click()
        check_accessible(page)


def test_a_narrow_screen_needs_no_scrolling_aside(browser: Any, service: Process) -> None:
    for page in visit(browser, service.url, has_touch=True):
        page.set_viewport_size({"width": 340, "height": 700})
        ask(page, "fog, and a question that is so long that it does not fit into a line of a narrow screen")
        width = "document.documentElement.scrollWidth"
        assert page.evaluate(width) <= 340
        page.get_by_role("button", name="Compare, hit 1").click()
        assert page.evaluate(width) <= 340
        assert page.locator("#detail-body").evaluate("body => body.scrollWidth - body.clientWidth") == 0


def test_all_charts_are_drawn_when_the_page_is_printed(page: Any) -> None:
    ask(page, "fog")
    waiting = page.locator(".chart:not(:has(.uplot))")
    assert waiting.count() > 0  # below what is seen
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert waiting.count() == 0


def test_a_token_is_asked_for(browser: Any, tiny_runs: TinyRuns, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with running(tmp_path, tiny_runs.aligned, "--token-file", tmp_path / "token", "--drain", "0") as service:
        for page in visit(browser, service.url):
            page.get_by_role("textbox", name="Token").fill("not the right one")
            page.get_by_role("button", name="Continue").click()
            expect(page.get_by_role("heading", name="This token is not right")).to_be_visible()
            page.get_by_role("textbox", name="Token").fill(TOKEN)
            page.get_by_role("button", name="Continue").click()
            ask(page, "fog")
            assert service.end(signal.SIGTERM) == 0
            page.get_by_role("button", name="Search", exact=True).click()
            expect(page.get_by_role("alert").filter(has_text="The service does not answer")).to_be_visible()
            expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_scripts_are_strict() -> None:
    """Where node is there, the scripts at least parse."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    for script in (Path(__file__).parents[2] / "trace_lit" / "service" / "page" / "assets").glob("*.js"):
        assert '"use strict";' in script.read_text()
        subprocess.run([node, "--check", script], check=True)
