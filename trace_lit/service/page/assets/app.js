/* The page: it asks, shows what comes back, and says what went wrong. */
"use strict";

(() => {
  const { find, make } = page;
  const saved = find("saved") ? JSON.parse(find("saved").textContent) : null; // the page is a file with its answer
  let running = null; // the request that has no answer yet
  let answer = null;

  // Asking

  async function search({ push = true } = {}) {
    if (!page.question.csv && !page.question.like) {
      page.question.text = find("text").value.trim();
      if (!page.question.text) {
        find("text").focus();
        notice("Write what you look for, or give a series.");
        return;
      }
    }
    running?.abort();
    const mine = (running = new AbortController());
    notice(null);
    began(true);
    find("results").setAttribute("aria-busy", "true");
    find("results").replaceChildren(make("div", { class: "grid" }, page.skeletons(Math.min(6, Number(find("top").value)))));
    if (push) await remember();
    const request = page.request();
    try {
      const found = await (await page.post("search", request, mine.signal)).json();
      if (mine !== running) return;
      answer = found;
      show(request);
    } catch (error) {
      if (error.name === "AbortError" || mine !== running) return;
      answer = null;
      find("results").replaceChildren();
      notice(error.message, remedy(error));
    } finally {
      if (mine === running) find("results").removeAttribute("aria-busy");
    }
  }

  /** What can be done about an error: ask again where it may pass, else change what was asked. */
  function remedy(error) {
    if (![408, 413, 422].includes(error.status)) return ["Try again", () => search({ push: false })];
    return page.question.csv ? ["Change the series", openSeries] : null;
  }

  /** Let the address of the page hold the question. */
  async function remember() {
    const link = await page.toLink();
    if (link !== null && link !== location.hash) history.pushState(null, "", link);
    document.title = `${page.asked()} · trace_lit`;
  }

  /** Whether the address of the page holds a question that can be asked. */
  async function restored() {
    try {
      return await page.fromLink();
    } catch (error) {
      page.ask({});
      notice(error.message);
      return false;
    }
  }

  function notice(words, action) {
    const box = find("notice");
    box.hidden = !words;
    box.replaceChildren(...(words ? [make("span", {}, page.capitalised(words))] : []));
    if (words && action) box.append(make("button", { type: "button", class: "quiet small", onclick: action[1] }, action[0]));
  }

  // Showing

  function show(request) {
    const { hits } = answer;
    const corpus = page.about.corpora.find((own) => own.name === answer.corpus) ?? page.about.corpora[0];
    const keys = corpus.channels.map((own) => own.key);
    if (!hits.length) {
      showNothing();
      return;
    }
    const windows = [...hits.map((hit) => hit.values), ...(answer.query ? [answer.query] : [])];
    const ranges = page.ranges(windows, keys);
    const best = Math.max(...hits.map((hit) => hit.score));
    const cards = hits.map((hit, place) => page.card({ hit, rank: place + 1, keys, ranges, best, within: answer.within, several: corpus.corpora.length > 1, actions: actions(hit, place) }));
    if (answer.query) cards.unshift(page.queryCard(page.question.csv ? page.question.name || "Your series" : "The window you chose", answer.query, keys, ranges));
    const unknown = Boolean(request.text) && hits.every(page.namesNoChannel);
    const timed = hits.some((hit) => page.seconds(hit.start) % 86400);
    const words = `${page.plural(hits.length, "hit")} among ${page.plural(answer.searched, "window")}`;
    find("results").replaceChildren(
      make("div", { class: "results-head" },
        make("h2", {}, saved ? words : `${words}: ${page.asked()}`),
        make("span", { class: "muted" }, saved ? `saved ${page.moment(page.seconds(saved.saved.slice(0, 19)))} UTC` : `${answer.seconds < 0.01 ? "< 10" : Math.round(1000 * answer.seconds)} ms`),
        !saved && timed && make("span", { class: "muted", title: "All times are UTC" }, "UTC"),
        !saved && toolbar(request)),
      ...(!unknown ? [] : [make("p", { class: "muted" }, `The model finds none of the channels in this question. There are ${page.listed(keys.slice(0, 12).map((key) => page.channelParts(key).name))}${keys.length > 12 ? ", …" : ""}.`)]),
      make("div", { class: "grid" }, cards));
    if (corpus.generated) find("foot").textContent = "Generated data.";
    page.announce(`${words}.`);
  }

  function showNothing() {
    const filtered = Object.values(page.fields()).some(Boolean);
    const words = filtered ? "No window passes these filters." : "There is nothing to find.";
    find("results").replaceChildren(make("div", { class: "empty" }, make("h2", {}, words),
      filtered && make("button", { type: "button", class: "quiet", onclick: () => { page.setFields({}); search(); } }, "Clear the filters and search again")));
    page.announce(words);
  }

  function actions(hit, place) {
    const found = [["Compare", () => page.compare(answer, place, saved ? saved.request.text : page.question.text)]];
    if (saved) return found;
    found.unshift(["More like this", () => { page.ask({ like: hit.id }); search(); scrollTo({ top: 0, behavior: "smooth" }); }]);
    for (const [task, name, run] of [["forecast", "Forecast", page.showForecast], ["classify", "Classify", page.showLabels]]) {
      const model = page.about.models.find((own) => own.task === task && own.corpora.includes(hit.corpus || answer.corpus));
      if (model) found.push([name, () => run(`${name}: ${hit.id}`, () => predict(task, { id: hit.id, corpus: hit.corpus || answer.corpus, model: model.name }))]);
    }
    return found;
  }

  const predict = async (task, body) => (await page.post(task, { ...body, values: true })).json();

  function toolbar(request) {
    const save = (format) => async () => {
      try {
        const blob = await (await page.post(`search?format=${format}`, request)).blob();
        page.download(blob, `hits-${answer.corpus}.${format}`);
        page.announce("Saved.");
      } catch (error) {
        notice(error.message);
      }
      menu.open = false;
    };
    const menu = make("details", { class: "menu" }, make("summary", { class: "button quiet small" }, "Export"),
      make("div", { class: "menu-items" },
        make("button", { type: "button", onclick: save("csv") }, "Table (CSV)"),
        make("button", { type: "button", onclick: save("png") }, "Picture (PNG)"),
        make("button", { type: "button", onclick: save("html") }, "Page to send (HTML)")));
    const share = make("button", { type: "button", class: "quiet small", onclick: copyLink }, "Copy link");
    const found = [share, menu];
    const { csv, name } = page.question; // of this answer; the question may change before the button is pressed
    const models = csv ? page.about.models.filter((own) => own.task === "forecast") : [];
    const model = models.find((own) => !lacking(own));
    if (!model && models.length) found.unshift(make("span", { class: "muted" }, `No forecast: ${models[0].name} ${lacking(models[0])}.`));
    if (model) found.unshift(make("button", { type: "button", class: "quiet small", onclick: () => page.showForecast(`Forecast: ${name || "your series"}`, () => predict("forecast", { csv, model: model.name })) }, "Forecast this series"));
    return make("div", { class: "toolbar" }, found);
  }

  /** Why a model cannot forecast the series that was asked about; null where it can. */
  function lacking({ needs, channels }) {
    const given = Object.keys(answer.query.channels);
    const missing = needs.channels.filter((key) => !given.includes(key));
    const unknown = given.filter((key) => !channels.some((own) => own.key === key));
    if (missing.length) return `needs ${missing.join(", ")}`;
    if (unknown.length) return `does not know ${unknown.join(", ")}`;
    if (needs.times && !answer.query.times) return "needs a column of times";
    if (answer.query.channels[given[0]].length < needs.steps) return `needs at least ${page.plural(needs.steps, "step")}`;
    return null;
  }

  async function copyLink(event) {
    const button = event.target;
    const link = await page.toLink();
    if (link === null) {
      notice("The series is too long for a link; export a page instead.");
      return;
    }
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The address bar holds it";
    }
    page.announce("The link holds the question.");
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  }

  // Series

  function useCsv(text, name) {
    const problem = csvProblem(text);
    const box = find("csv-error");
    box.hidden = !problem;
    box.textContent = problem ?? "";
    if (problem) {
      if (!find("series-dialog").open) notice(`${name}: ${problem}`);
      return;
    }
    if (find("series-dialog").open) find("series-dialog").close();
    page.ask({ csv: text, name });
    search();
  }

  function csvProblem(text) {
    if (!text.trim()) return "There is nothing in it.";
    if (text.includes("\0")) return "This is no text. Save the table as CSV first.";
    const limit = page.about.limits.body;
    return text.length > limit - 2000 ? `It has ${page.whole(text.length)} characters; ${page.whole(limit - 2000)} are allowed.` : null;
  }

  /** The text of a file in UTF-8 or, as spreadsheets write it, in UTF-16 or Windows' Western code page. */
  function decoded(bytes) {
    const [first, second] = new Uint8Array(bytes);
    if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
    if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  }

  const useFile = async (file) => { if (file) useCsv(decoded(await file.arrayBuffer()), file.name); };

  async function fillExample() {
    const corpus = page.corpus();
    const hit = answer?.hits[0]?.id;
    const window = hit ? (await page.get(`instances/${encodeURIComponent(hit)}?corpus=${encodeURIComponent(answer.corpus)}`)).values
      : { times: null, channels: Object.fromEntries(corpus.channels.map((own) => [own.key, Array.from({ length: 24 }, (_, step) => Math.round(step / 6))])) };
    const names = Object.keys(window.channels);
    const lines = window.channels[names[0]].map((_, step) => [...(window.times ? [window.times[step]] : []), ...names.map((name) => window.channels[name][step] ?? "")].join(","));
    find("csv-text").value = [[...(window.times ? ["time"] : []), ...names].join(","), ...lines].join("\n");
  }

  function openSeries() {
    find("csv-error").hidden = true;
    if (page.question.csv) find("csv-text").value = page.question.csv;
    find("series-dialog").showModal();
  }

  function watchSeries() {
    find("open-series").onclick = openSeries;
    find("csv-go").onclick = () => useCsv(find("csv-text").value, "");
    find("csv-template").onclick = fillExample;
    find("csv-file").onchange = (event) => { useFile(event.target.files[0]); event.target.value = ""; };
    let depth = 0;
    const veil = (shown) => { find("drop-veil").hidden = !shown; };
    const isFile = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragenter", (event) => { if (isFile(event)) { depth += 1; veil(true); } });
    document.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) veil(false); });
    document.addEventListener("dragover", (event) => { if (isFile(event)) event.preventDefault(); });
    document.addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      depth = 0;
      veil(false);
      useFile(event.dataTransfer.files[0]);
    });
  }

  // The start

  /** Whether hits take the place of what the page begins with. */
  function began(asked) {
    find("suggestions").hidden = asked;
    find("hints").hidden = asked;
    document.documentElement.classList.toggle("has-hits", asked);
  }

  function suggest() {
    began(false);
    const corpus = page.corpus();
    const labels = Object.entries(corpus.labels).filter(([, many]) => many).map(([name]) => name).slice(0, 3);
    const [first, second = first] = corpus.channels.map((own) => own.name);
    const ideas = [...labels, `high ${first}`, `${second} rises, then falls`, `unusually low ${second}`];
    find("suggestions").replaceChildren(make("span", { class: "muted" }, "Try"), ...ideas.map((idea) =>
      make("button", { type: "button", class: "suggestion", onclick: () => { page.ask({ text: idea }); search(); } }, idea)));
    const what = page.listed(corpus.channels.slice(0, 4).map((own) => own.name)) + (corpus.channels.length > 4 ? " and more" : "");
    find("lead").textContent = `${page.plural(corpus.rows, "window")} of ${page.plural(corpus.many_series, "series", "series")}, ${page.span(corpus.first, corpus.last)}: ${what}.`;
    if (corpus.generated) find("foot").textContent = "Generated data.";
  }

  async function load() {
    try {
      page.about = await page.info();
    } catch (error) {
      if (error.status === 503) {
        notice(`${error.message}.`);
        setTimeout(load, 1500);
        return;
      }
      notice(error.message, ["Try again", load]);
      return;
    }
    notice(null);
    const names = page.about.corpora.map((own) => own.name);
    if (!names.length) {
      notice("This service searches no corpus; its API forecasts and embeds.");
      find("go").disabled = true;
      return;
    }
    find("corpus").replaceChildren(...names.map((name) => make("option", { value: name }, name)));
    if (await restored()) await search({ push: false });
    else suggest();
  }

  function watchForm() {
    find("form").onsubmit = (event) => { event.preventDefault(); search(); };
    find("corpus").onchange = () => { page.setFields({}); page.fillFilters(); if (answer && !page.question.like) search(); else { answer = null; find("results").replaceChildren(); page.ask({}); suggest(); } };
    find("top").onchange = () => { if (answer) search(); };
    find("filters").addEventListener("change", () => { page.countFilters(); if (answer) search(); });
    find("clear-filters").onclick = () => { page.setFields({}); if (answer) search(); };
    addEventListener("popstate", async () => {
      notice(null);
      if (await restored()) search({ push: false });
      else { answer = null; find("results").replaceChildren(); suggest(); }
    });
    document.addEventListener("keydown", (event) => {
      const typing = /INPUT|TEXTAREA|SELECT/.test(event.target.tagName);
      if (event.key === "/" && !typing && !document.querySelector("dialog[open]")) {
        event.preventDefault();
        find("text").focus();
      }
      if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    });
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
  }

  function watchTheme() {
    const kept = saved ? null : localStorage.getItem("trace_lit.theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
    find("theme").onclick = () => {
      const next = page.theme() === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      if (!saved) localStorage.setItem("trace_lit.theme", next);
      page.redraw();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", page.redraw);
  }

  function showSaved() {
    page.about = saved.info;
    answer = saved.answer;
    document.documentElement.classList.add("is-saved");
    const { text, like } = saved.request;
    find("title").textContent = text ? `“${text}”` : like ? `Windows like ${like}` : "Windows like a series";
    find("lead").textContent = `Asked in ${answer.corpus}.`;
    document.title = `${find("title").textContent} · trace_lit`;
    if (answer.query) page.question.csv = "";
    show(saved.request);
  }

  watchTheme();
  if (saved) showSaved();
  else {
    watchForm();
    watchSeries();
    load();
  }
})();
