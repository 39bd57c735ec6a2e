/* Hits as cards: what fitted in words, and a chart a channel. */
"use strict";

(() => {
  const FEW = 8; // channels that are shown at once
  const make = page.make;

  /** Which channels a question speaks of, and what each adds; null without an explanation. */
  page.reasons = (hit) => {
    if (!hit.explanation) return null;
    const { channels } = hit.explanation;
    const found = new Map(channels.map((own) => [own.name, {
      ...own,
      spoken: own.weight >= 0.5 / channels.length,
      fits: own.beats !== null && own.beats >= 0.5,
    }]));
    return { by: found, alike: [...found.values()].every((own) => own.spoken) };
  };

  /** Whether the question speaks of the whole window alone, as one that the model does not understand. */
  page.namesNoChannel = (hit) => {
    const reasons = page.reasons(hit);
    return reasons !== null && ![...reasons.by.values()].some((own) => own.spoken && own.name !== "whole window");
  };

  /** What fitted and what did not, as a sentence. */
  page.fitInWords = (hit) => {
    const reasons = page.reasons(hit);
    if (!reasons) return null;
    const spoken = [...reasons.by.values()].filter((own) => own.spoken && own.beats !== null).sort((a, b) => b.score - a.score);
    const named = (own) => (own.name === "whole window" ? "the window as a whole" : page.channelParts(own.name).name);
    const good = spoken.filter((own) => own.fits).slice(0, 3);
    const bad = spoken.filter((own) => !own.fits).slice(-2);
    const parts = [];
    if (good.length) {
      const [low, high] = [Math.min(...good.map((own) => own.beats)), Math.max(...good.map((own) => own.beats))].map((share) => Math.floor(100 * share));
      parts.push(`fits in ${page.listed(good.map(named))}, better than ${low === high ? low : `${low} to ${high}`} % of the windows`);
    }
    if (bad.length) parts.push(good.length ? "; less in " : "fits badly in ", page.listed(bad.map(named)));
    if (!parts.length) return null;
    const words = parts.join("");
    return `${page.capitalised(words)}.`;
  };

  function caption(key, place, reason, alike) {
    const { name, unit } = page.channelParts(key);
    const value = make("span", { class: "reading" });
    const words = make("div", { class: "caption" },
      make("span", { class: "swatch", style: null, "data-place": place % 8 }),
      make("span", { class: "channel", title: key }, name), unit && make("span", { class: "unit" }, unit), value);
    if (reason) {
      const title = reason.beats === null ? "This window has no values here."
        : `Adds ${page.signed(reason.score)} to the similarity, more than in ${page.percent(reason.beats)} of all windows; ${page.percent(reason.weight)} of the question.`;
      const kind = !reason.spoken || reason.beats === null || alike === null ? "quiet" : reason.fits ? "good" : "bad";
      const mark = kind === "good" ? "✓ " : kind === "bad" ? "✗ " : "";
      words.append(make("span", { class: `adds ${kind}`, title }, `${mark}${reason.beats === null ? "no values" : page.signed(reason.score)}`));
    }
    return { words, value };
  }

  /** The charts of a window, a row a channel; those that the question does not speak of are pale. */
  page.smallMultiples = (window, keys, ranges, reasons, sync) => {
    const box = make("div", { class: "multiples" });
    const order = keys.map((key, place) => ({ key, place, reason: reasons?.by.get(key) }));
    const first = (own) => (own.reason?.spoken ? 0 : 1);
    const shown = order.length > FEW ? [...order].sort((a, b) => first(a) - first(b)).slice(0, FEW).sort((a, b) => a.place - b.place) : order;
    const rows = (list) => list.forEach(({ key, place, reason }, rank) => {
      const lit = !reason || reasons.alike || reason.spoken;
      const { words, value } = caption(key, place, reason, reasons?.alike ? null : false);
      const read = (number, at) => { value.textContent = number === null || number === undefined ? "" : `${page.number(number)}${window.times ? ` at ${page.moment(at)}` : ""}`; };
      const chart = page.lineChart({ key, place, window, range: ranges[key], last: rank === list.length - 1, height: rank === list.length - 1 ? 72 : 52, pale: !lit, sync, read });
      box.append(make("div", { class: `row${reason && lit && !reasons.alike ? " lit" : ""}` }, words, chart));
    });
    rows(shown);
    if (shown.length < order.length) {
      box.append(make("button", { type: "button", class: "quiet small", onclick: (event) => {
        event.target.remove();
        box.replaceChildren();
        rows(order);
      } }, `Show all ${order.length} channels`));
    }
    return box;
  };

  function excerpt(text) {
    if (!text) return make("p", { class: "text muted" }, "No text.");
    const words = make("p", { class: "text clamped" }, text);
    if (text.length < 170) return words;
    const more = make("button", { type: "button", class: "link", "aria-expanded": "false", onclick: () => {
      const open = words.classList.toggle("clamped");
      more.textContent = open ? "More" : "Less";
      more.setAttribute("aria-expanded", String(!open));
    } }, "More");
    return make("div", {}, words, more);
  }

  const SCORES = {
    series: "Similarity to the question: the inner product of unit vectors, at most 1",
    texts: "How well the words of the text fit the question (BM25)",
    both: "The sum of the reciprocal ranks by values and by texts",
  };

  /** One hit; `within` says what its score is of, `several` where hits may be of several corpora. `actions` are pairs of a name and what happens. */
  page.card = ({ hit, rank, keys, ranges, best, within, several, actions }) => {
    const reasons = page.reasons(hit);
    const title = `hit-${rank}`;
    const share = best > 0 ? Math.max(0, Math.min(1, hit.score / best)) : 0;
    const bar = make("span", { class: "bar" }, make("span"));
    bar.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
    const fit = page.fitInWords(hit);
    return make("article", { class: "card", "aria-labelledby": title, "data-id": hit.id },
      make("header", {},
        make("span", { class: "rank", "aria-hidden": "true" }, String(rank)),
        make("div", { class: "heading" },
          make("h3", { id: title }, make("span", { class: "hidden-visually" }, `Hit ${rank}: `), page.span(hit.start, hit.end)),
          make("div", { class: "id", title: hit.id }, hit.id)),
        make("div", { class: "score", title: SCORES[within] }, make("span", { class: "hidden-visually" }, "score "), hit.score.toFixed(3), bar)),
      make("div", { class: "badges" }, hit.label && make("span", { class: "badge" }, hit.label), make("span", { class: "badge plain" }, hit.split), several && make("span", { class: "badge plain" }, hit.corpus)),
      fit && make("p", { class: "fit" }, fit),
      hit.values && page.smallMultiples(hit.values, keys.filter((key) => hit.values.channels[key]), ranges, reasons, `hit-${rank}`),
      excerpt(hit.text),
      actions.length > 0 && make("div", { class: "actions" }, actions.map(([name, run]) =>
        make("button", { type: "button", class: "quiet small", "aria-label": `${name}, hit ${rank}`, onclick: run }, name))));
  };

  /** The series that was asked about, beside its hits. */
  page.queryCard = (title, window, keys, ranges) => make("article", { class: "card query", "aria-label": title },
    make("header", {}, make("div", { class: "heading" }, make("h3", {}, title), make("div", { class: "id" }, `${page.plural(page.axisOf(window).length, "step")}`))),
    page.smallMultiples(window, keys.filter((key) => window.channels[key]), ranges, null, "query"));

  page.skeletons = (count) => Array.from({ length: count }, () => make("div", { class: "card skeleton", "aria-hidden": "true" },
    make("span", { class: "line short" }), make("span", { class: "line" }), make("span", { class: "block" }), make("span", { class: "block" }), make("span", { class: "block" })));
})();
