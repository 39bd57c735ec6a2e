/* The question: what stands in the form, in the link, and in a request. */
"use strict";

(() => {
  const FILTERS = ["since", "until", "label", "series_id", "split", "with_text", "within", "of_corpus", "diversity"];
  const DIVERSITY = 0.4;
  const LINK = 30000; // characters of a series in a link, at most
  const find = page.find;

  /** One of text, csv and like; corpus, top, and filters where they are set. */
  page.question = { text: "", csv: null, like: null, name: "" };

  page.fields = () => ({
    since: find("since").value, until: find("until").value, label: find("label").value,
    series_id: find("series-id").value.trim(), split: find("split").value, with_text: find("with-text").checked ? "true" : "",
    within: find("within").value, of_corpus: find("of-corpus").value, diversity: find("diversity").checked ? "true" : "",
  });

  page.setFields = (fields) => {
    find("since").value = fields.since ?? "";
    find("until").value = fields.until ?? "";
    find("label").value = fields.label ?? "";
    find("series-id").value = fields.series_id ?? "";
    find("split").value = fields.split ?? "";
    find("with-text").checked = fields.with_text === "true";
    find("within").value = fields.within ?? "";
    find("of-corpus").value = fields.of_corpus ?? "";
    find("diversity").checked = fields.diversity === "true";
    countFilters();
  };

  function countFilters() {
    const many = Object.values(page.fields()).filter(Boolean).length;
    const badge = find("filter-count");
    badge.hidden = many === 0;
    badge.textContent = String(many);
    badge.setAttribute("aria-label", `${many} set`);
  }
  page.countFilters = countFilters;

  /** What `POST /search` takes. */
  page.request = () => {
    const { text, csv, like } = page.question;
    const fields = page.fields();
    const asked = { corpus: find("corpus").value, top: Number(find("top").value), explain: true, values: true };
    if (csv) asked.csv = csv;
    else if (like) asked.like = like;
    else asked.text = text;
    if (fields.since) asked.since = `${fields.since}T00:00:00`;
    if (fields.until) asked.until = new Date(Date.parse(`${fields.until}T00:00:00Z`) + 86400000).toISOString().slice(0, 19);
    for (const name of ["label", "series_id", "split", "of_corpus"]) if (fields[name]) asked[name] = fields[name];
    if (fields.with_text) asked.with_text = true;
    if (fields.diversity) asked.diversity = DIVERSITY;
    if (fields.within && asked.text !== undefined) asked.within = fields.within;
    return asked;
  };

  /** The question as the part of a link behind #, which no server sees. */
  page.toLink = async () => {
    const { text, csv, like, name } = page.question;
    const found = new URLSearchParams();
    if (csv) {
      const packed = await page.packed(csv);
      if (packed.length > LINK) return null;
      found.set("csv", packed);
      found.set("name", name);
    } else if (like) found.set("like", like);
    else found.set("q", text);
    found.set("corpus", find("corpus").value);
    found.set("top", find("top").value);
    for (const [key, value] of Object.entries(page.fields())) if (value) found.set(key, value);
    return `#${found}`;
  };

  /** Set the form to what a link asks; whether it asks anything. An error where it cannot be answered here. */
  page.fromLink = async () => {
    const found = new URLSearchParams(location.hash.slice(1));
    const corpus = found.get("corpus");
    if (corpus && ![...find("corpus").options].some((option) => option.value === corpus)) {
      page.fillFilters();
      throw new Error(`The link asks in ${corpus}, which this service does not search.`);
    }
    if (corpus) find("corpus").value = corpus;
    const top = [...find("top").options].some((option) => option.value === found.get("top"));
    if (top) find("top").value = found.get("top");
    page.fillFilters();
    page.setFields(Object.fromEntries(FILTERS.map((name) => [name, found.get(name) ?? ""])));
    if (found.has("csv")) {
      const csv = await page.unpacked(found.get("csv")).catch(() => { throw new Error("The link is damaged: its series cannot be read."); });
      page.ask({ csv, name: found.get("name") ?? "" });
    } else page.ask({ text: found.get("q") ?? "", like: found.get("like") });
    return found.has("csv") || found.has("like") || Boolean(found.get("q"));
  };

  /** Let the form hold a question in words, a series, or a window. */
  page.ask = ({ text = "", csv = null, like = null, name = "" }) => {
    page.question = { text, csv, like, name };
    const [input, chip] = [find("text"), find("chip")];
    const other = csv || like;
    input.hidden = Boolean(other);
    chip.hidden = !other;
    if (!other) input.value = text;
    else {
      const words = csv ? `Like ${name || "your series"}` : `Like ${like}`;
      const back = page.make("button", { type: "button", class: "icon", "aria-label": "Ask in words instead", onclick: () => {
        page.ask({});
        input.focus();
      } }, "✕");
      chip.replaceChildren(page.make("span", { class: "chip-words", title: words }, words), back);
    }
  };

  page.asked = () => {
    const { text, csv, like, name } = page.question;
    return csv ? `like ${name || "your series"}` : like ? `like ${like}` : `“${text}”`;
  };

  /** The choices of the filters, as the chosen corpus has them. */
  page.fillFilters = () => {
    const corpus = page.corpus();
    const labels = Object.entries(corpus.labels).filter(([, many]) => many);
    const chosen = find("label").value;
    find("label").replaceChildren(page.make("option", { value: "" }, "any"), ...labels.map(([name, many]) => page.make("option", { value: name }, `${name} (${many})`)));
    find("label").value = labels.some(([name]) => name === chosen) ? chosen : "";
    find("label").closest("label").hidden = labels.length === 0;
    find("series-list").replaceChildren(...corpus.series.map((name) => page.make("option", { value: name })));
    for (const name of ["since", "until"]) {
      find(name).min = corpus.first.slice(0, 10);
      find(name).max = corpus.last.slice(0, 10);
    }
    for (const name of ["within", "of-corpus", "diversity"]) find(name).closest("label").hidden = !corpus.index;
    find("of-corpus").replaceChildren(page.make("option", { value: "" }, "any"), ...corpus.corpora.map((name) => page.make("option", { value: name }, name)));
    find("of-corpus").closest("label").hidden = corpus.corpora.length < 2;
    const [first, second = first] = corpus.channels.map((own) => own.name);
    find("text").placeholder = `high ${first} while ${second} falls`;
    find("csv-example").textContent = corpus.channels[0].key;
    countFilters();
  };

  /** The corpus that is asked about, as /info describes it. */
  page.corpus = () => page.about.corpora.find((own) => own.name === find("corpus").value) ?? page.about.corpora[0];
})();
