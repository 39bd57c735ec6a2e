/* What opens over the page: a hit beside the query, a forecast, the probabilities of labels. */
"use strict";

(() => {
  const make = page.make;

  function open(title, ...content) {
    page.find("detail-title").textContent = title;
    page.find("detail-body").replaceChildren(...content);
    const dialog = page.find("detail-dialog");
    if (!dialog.open) dialog.showModal();
    page.find("detail-body").focus();
  }

  const key = (marks) => make("div", { class: "key" }, marks.map(([kind, name]) => make("span", {}, make("span", { class: `mark ${kind}`, "aria-hidden": "true" }), name)));

  // A hit beside the query, or beside another hit

  /** What each clause adds by each channel; the stronger, the deeper the cell. */
  function matrix(hit) {
    const { clauses } = hit.explanation;
    const there = hit.explanation.channels.flatMap((own, place) => (own.beats === null ? [] : [place])); // in this window
    const channels = there.map((place) => hit.explanation.channels[place]);
    const table = hit.explanation.table.map((row) => there.map((place) => row[place]));
    const most = Math.max(...table.flat().map(Math.abs), 1e-9);
    const cell = (score) => {
      const found = make("td", {}, page.signed(score));
      found.style.setProperty("--share", Math.min(1, Math.abs(score) / most).toFixed(3));
      found.className = score < -0.0005 ? "negative" : "positive";
      return found;
    };
    const names = channels.map((own) => (own.name === "whole window" ? "whole window" : page.channelParts(own.name).name));
    const rows = clauses.length ? clauses.map((own) => own.name) : ["the series"];
    const title = "What each part of the question adds to the similarity, by channel";
    return make("figure", { class: "titled" }, make("figcaption", { id: "matrix-title" }, title),
      make("div", { class: "table-box", tabindex: "0", role: "region", "aria-labelledby": "matrix-title" }, make("table", { class: "matrix" },
        make("caption", { class: "hidden-visually" }, title),
        make("thead", {}, make("tr", {}, make("td", {}), names.map((name) => make("th", { scope: "col" }, name)), make("th", { scope: "col" }, "together"))),
        make("tbody", {}, rows.map((name, place) => make("tr", {}, make("th", { scope: "row" }, clauses.length ? `“${name}”` : name), table[place].map(cell),
          make("td", { class: "sum" }, page.signed(table[place].reduce((sum, score) => sum + score, 0))))),
        make("tr", { class: "rank-row" }, make("th", { scope: "row" }, "better than"), channels.map((own) => make("td", {}, page.percent(own.beats))), make("td", {}))))));
  }

  page.compare = (answer, place, question) => {
    const hit = answer.hits[place];
    const keys = Object.keys(hit.values.channels);
    const others = answer.hits.map((own, other) => ({ name: `hit ${other + 1}, ${page.span(own.start, own.end)}`, window: own.values, other })).filter(({ other }) => other !== place);
    if (answer.query) others.unshift({ name: "the query", window: answer.query });
    const charts = make("div", { class: "overlays" });
    const choice = make("select", { id: "compare-with", onchange: () => draw() }, others.map(({ name }, number) => make("option", { value: number }, name)));
    function draw() {
      const chosen = others[Number(choice.value)];
      const shared = keys.filter((own) => chosen.window.channels[own]);
      const ranges = page.ranges([chosen.window, hit.values], shared);
      const { unit, places } = page.fromStart([chosen.window, hit.values]);
      charts.replaceChildren(
        key([["dashed", chosen.name], ["solid", `hit ${place + 1}`]]),
        ...shared.map((own, rank) => make("figure", {}, make("figcaption", {}, own),
          page.overlay({ key: own, place: keys.indexOf(own), query: chosen.window, hit: hit.values, places, range: ranges[own], last: rank === shared.length - 1, height: rank === shared.length - 1 ? 130 : 108, sync: "compare", names: [chosen.name, `hit ${place + 1}`] }))),
        make("p", { class: "muted small-print" }, `Both begin at ${unit} 0. The channels have one scale in both.`));
    }
    const content = [];
    if (question) content.push(make("p", { class: "asked" }, question));
    if (page.fitInWords(hit)) content.push(make("p", { class: "fit" }, page.fitInWords(hit)));
    if (hit.explanation) content.push(matrix(hit));
    if (others.length) {
      content.push(make("label", { class: "inline", for: "compare-with" }, "Beside ", choice), charts);
    }
    open(`Hit ${place + 1}: ${page.span(hit.start, hit.end)}`, ...content);
    if (others.length) draw();
  };

  // Forecasts and labels

  page.showForecast = async (title, ask) => {
    open(title, make("p", { class: "muted", role: "status" }, "Forecasting …"));
    try {
      const forecast = await ask();
      drawForecast(title, forecast);
    } catch (error) {
      open(title, make("p", { class: "field-error", role: "alert" }, error.message));
    }
  };

  function drawForecast(title, forecast) {
    const keys = Object.keys(forecast.channels);
    const all = Object.keys(forecast.lookback.channels);
    const body = make("div");
    const choice = make("select", { id: "forecast-channel", onchange: () => draw(choice.value) }, keys.map((own) => make("option", {}, own)));
    const levels = forecast.quantiles;
    const band = levels.length > 1 ? `${Math.round(100 * (levels.at(-1) - levels[0]))} % band` : null;
    function draw(own) {
      const place = all.indexOf(own);
      const neighbours = forecast.retrieved;
      const windows = neighbours.map((near) => ({ channels: { [own]: [...(near.window[own] ?? []), ...(near.continuation?.[own] ?? [])] } }));
      const range = neighbours.length ? page.ranges(windows, [own])[own] : null;
      body.replaceChildren(
        key([["solid", "look-back"], ["dotted", "forecast"], ...(band ? [["band", band]] : []), ...(forecast.channels[own].truth.some((value) => value !== null) ? [["ink", "what happened"]] : [])]),
        page.forecastChart({ key: own, place, lookback: forecast.lookback, forecast }),
        numbers(forecast, own),
        ...(neighbours.length ? [make("h3", {}, `The ${page.plural(neighbours.length, "earlier window")} it rests on`),
          make("div", { class: "neighbours" }, neighbours.map((near) => make("article", { class: "card small-card" },
            make("header", {}, make("div", { class: "heading" }, make("h4", {}, page.span(near.start, near.origin)), make("div", { class: "id", title: near.id }, near.id)), make("div", { class: "score", title: "Similarity to the look-back, at most 1" }, make("span", { class: "hidden-visually" }, "similarity "), near.similarity.toFixed(3))),
            page.followedChart({ key: own, place, window: near.window, continuation: near.continuation, range }),
            near.text && make("p", { class: "text clamped" }, near.text))))] : []));
    }
    const origin = forecast.origin ? `, from ${page.moment(page.seconds(forecast.origin))}` : "";
    open(title, make("p", { class: "muted" }, `${page.plural(keys.length ? forecast.channels[keys[0]].forecast.length : 0, "step")}${origin}, by ${forecast.model}.`),
      make("label", { class: "inline", for: "forecast-channel" }, "Channel ", choice), body);
    draw(keys[0]);
  }

  /** The forecast as a table, for those who read numbers. */
  function numbers(forecast, own) {
    const found = forecast.channels[own];
    const names = ["forecast", ...forecast.quantiles.map(String)];
    const times = forecast.times ? forecast.times.map((time) => page.moment(page.seconds(time))) : found.forecast.map((_, step) => `+${step + 1}`);
    return make("details", {}, make("summary", {}, "As a table"), make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "The forecast as a table" },
      make("table", {}, make("caption", { class: "hidden-visually" }, `Forecast of ${own}`),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "time"), names.map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, times.map((time, step) => make("tr", {}, make("th", { scope: "row" }, time), names.map((name) => make("td", {}, page.number(found[name][step])))))))));
  }

  page.showLabels = async (title, ask) => {
    open(title, make("p", { class: "muted", role: "status" }, "Classifying …"));
    try {
      const found = await ask();
      const sorted = Object.entries(found.probabilities).sort((a, b) => b[1] - a[1]);
      open(title, make("p", { class: "muted" }, `By ${found.model}.`), make("ul", { class: "labels" }, sorted.map(([name, share]) => {
        const bar = make("span", { class: "bar" }, make("span"));
        bar.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
        return make("li", {}, make("span", {}, name, name === found.label && make("span", { class: "badge" }, "its label")), bar, make("span", { class: "number" }, `${(100 * share).toFixed(1)} %`));
      })));
    } catch (error) {
      open(title, make("p", { class: "field-error", role: "alert" }, error.message));
    }
  };
})();
