/* Charts by uPlot: one a channel, the same scale for a channel in all windows, colours of the page's theme. */
"use strict";

(() => {
  const COLOURS = 8;
  const charts = new Set(); // those on the page, to be drawn anew when theme or width change
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (place) => style(`--series-${place % COLOURS}`);
  const utc = (seconds) => uPlot.tzDate(new Date(1000 * seconds), "Etc/UTC");

  /** For each channel a range that holds it in all windows, so that levels compare. */
  page.ranges = (windows, keys) => Object.fromEntries(keys.map((key) => {
    let [low, high] = [Infinity, -Infinity];
    for (const window of windows) {
      for (const value of window.channels[key] ?? []) {
        if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    if (low > high) [low, high] = [0, 1];
    const room = 0.08 * (high - low) || 0.05 * Math.abs(low) || 1;
    return [key, [low - room, high + room]];
  }));

  /** What a chart shows, for those who cannot see it. */
  page.inWords = (key, values) => {
    const seen = (values ?? []).filter((value) => value !== null);
    if (!seen.length) return `${key}: no values`;
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
    const words = [`from ${page.number(low)} to ${page.number(high)}`, `mean ${page.number(mean)}`];
    words.push(`begins at ${page.number(seen[0])}`, `ends at ${page.number(seen.at(-1))}`);
    return `${key}: ${words.join(", ")}`;
  };

  /** A place for a chart, which is drawn when it comes into view. `options` makes what uPlot takes. */
  page.chart = (label, height, options) => {
    const place = page.make("div", { class: "chart", role: "img", "aria-label": label });
    place.style.height = `${height}px`;
    const entry = { place, height, options, plot: null };
    place.entry = entry;
    watcher.observe(place);
    return place;
  };

  const watcher = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting && !target.entry.plot) draw(target.entry);
    }
  }, { rootMargin: "400px" });

  const resizer = new ResizeObserver((changed) => {
    for (const { target } of changed) {
      const { plot, height } = target.entry;
      if (plot && target.clientWidth && target.clientWidth !== plot.width) plot.setSize({ width: target.clientWidth, height });
    }
  });

  function draw(entry) {
    const { place, height } = entry;
    entry.plot?.destroy();
    const { data, ...options } = entry.options();
    entry.plot = new uPlot({ width: Math.max(place.clientWidth, 80), height, legend: { show: false }, ...options }, data, place);
    charts.add(entry);
    resizer.observe(place);
  }

  addEventListener("beforeprint", () => {
    for (const { entry } of document.querySelectorAll(".chart")) if (!entry.plot) draw(entry);
  });

  /** Draw all anew, in the colours of the theme; forget those that have left the page. */
  page.redraw = () => {
    for (const entry of charts) {
      if (entry.place.isConnected) draw(entry);
      else {
        entry.plot.destroy();
        charts.delete(entry);
      }
    }
  };

  function axes({ times, last, values = true }) {
    const font = `11px ${style("--font")}`;
    const common = { stroke: style("--muted"), font, grid: { stroke: style("--grid"), width: 1 }, ticks: { show: false } };
    return [
      { ...common, show: last, size: 22, gap: 3, space: 60, values: times ? (_, ticks, __, ___, step) => page.ticks(ticks, step) : (_, ticks) => ticks.map(String) },
      { ...common, show: values, size: 42, gap: 4, space: 18, values: (_, ticks) => ticks.map(short) },
    ];
  }

  const short = (tick) => (Math.abs(tick) >= 10000 ? `${+(tick / 1000).toFixed(1)}k` : `${+tick.toPrecision(6)}`);

  /** The x values of a window: seconds since 1970, or numbers of steps. */
  page.axisOf = (window) => window.times ? window.times.map(page.seconds) : Object.values(window.channels)[0].map((_, step) => step);

  /** How far the steps of windows are from their first: in hours or days where all have times, else in steps. */
  page.fromStart = (windows) => {
    if (!windows.every((own) => own.times)) return { unit: "step", places: windows.map((own) => page.axisOf({ ...own, times: null })) };
    const axes = windows.map(page.axisOf);
    const step = Math.min(...axes.map((own) => own[1] - own[0] || Infinity));
    const [unit, seconds] = step >= 86400 ? ["day", 86400] : ["hour", 3600];
    return { unit, places: axes.map((own) => own.map((at) => (at - own[0]) / seconds)) };
  };

  function base(times, range, last, sync, onCursor) {
    return {
      tzDate: utc,
      padding: [5, 18, last ? 0 : 4, 0], // half of a time's width beside the last mark
      scales: { x: { time: times }, y: { range: () => range } },
      axes: axes({ times, last }),
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 }, ...(sync ? { sync: { key: sync, setSeries: false } } : {}) },
      hooks: { setCursor: onCursor ? [onCursor] : [] },
    };
  }

  /** One channel of a window. `read` is given the value and the time below the cursor, or null. */
  page.lineChart = ({ key, place, window, range, height = 54, last = false, pale = false, sync, read }) => {
    const values = window.channels[key] ?? [];
    return page.chart(page.inWords(key, values), height, () => {
      const x = page.axisOf(window);
      const stroke = pale ? style("--pale") : colour(place);
      const follow = read && ((plot) => read(plot.cursor.idx === null || plot.cursor.idx === undefined ? null : values[plot.cursor.idx], x[plot.cursor.idx]));
      return {
        ...base(Boolean(window.times), range, last, sync, follow),
        series: [{}, { stroke, width: pale ? 1.2 : 2, points: alone(values, stroke) }],
        data: [x, values],
      };
    });
  };

  /** Points for the values without a neighbour, which a line would not show. */
  function alone(values, fill, placeOf = (step) => step) {
    const missing = (step) => (values[step] ?? null) === null;
    const places = values.flatMap((value, step) => (value !== null && missing(step - 1) && missing(step + 1) ? [placeOf(step)] : []));
    return { show: places.length > 0, size: 4, fill, filter: () => places };
  }

  /** The same channel of two windows, laid over one another from their first steps; `places` as `page.fromStart` gives them. */
  page.overlay = ({ key, place, query, hit, places, range, height = 120, last = false, sync, names }) => {
    const [one, other] = [query.channels[key] ?? [], hit.channels[key] ?? []];
    const label = `${names[0]}, ${page.inWords(key, one)}. ${names[1]}, ${page.inWords(key, other)}`;
    return page.chart(label, height, () => {
      const gaps = 2; // a missing value is one up to the steps before and behind it
      const data = uPlot.join([[places[0], one], [places[1], other]], [[1, gaps], [1, gaps]]);
      const placeOf = (own) => (step) => data[0].indexOf(own[step]);
      return {
        ...base(false, range, last, sync),
        series: [
          {},
          { stroke: style("--ink"), width: 1.6, dash: [6, 4], points: alone(one, style("--ink"), placeOf(places[0])) },
          { stroke: colour(place), width: 2.2, points: alone(other, colour(place), placeOf(places[1])) },
        ],
        data,
      };
    });
  };

  /** What was looked back on, the forecast behind it, and bands between quantiles. */
  page.forecastChart = ({ key, place, lookback, forecast, height = 260 }) => {
    const own = forecast.channels[key];
    const before = lookback.channels[key] ?? [];
    const known = own.truth.some((value) => value !== null);
    const label = `${key}, look-back and forecast. ${page.inWords("look-back", before)}. ${page.inWords("forecast", own.forecast)}`;
    return page.chart(label, height, () => {
      const timed = Boolean(lookback.times && forecast.times);
      const x = timed ? [...lookback.times, ...forecast.times].map(page.seconds) : [...before, ...own.forecast].map((_, step) => step - before.length);
      const gap = Array(before.length).fill(null);
      const joined = (values) => [...gap.slice(1), before.at(-1) ?? null, ...values];
      const levels = forecast.quantiles;
      const pairs = levels.slice(0, Math.floor(levels.length / 2)).map((level, rank) => [`${level}`, `${levels.at(-1 - rank)}`]);
      const line = colour(place);
      const edges = pairs.flatMap(([low, high]) => [own[high], own[low]]);
      const series = [
        {},
        { label: "look-back", stroke: line, width: 2, points: alone(before, line) },
        { label: "forecast", stroke: line, width: 2.2, dash: [2, 3], points: { show: false } },
        { label: "truth", stroke: style("--ink"), width: 1.4, show: known, points: { show: false } },
        ...edges.map(() => ({ stroke: "transparent", width: 0, points: { show: false } })),
      ];
      const bands = pairs.map((_, rank) => ({ series: [4 + 2 * rank, 5 + 2 * rank], fill: `${line}${rank ? "40" : "2e"}` }));
      const data = [x, [...before, ...own.forecast.map(() => null)], joined(own.forecast), joined(own.truth), ...edges.map(joined)];
      const seen = data.slice(1).flat().filter((value) => value !== null);
      const [low, high] = [Math.min(...seen), Math.max(...seen)];
      const room = 0.06 * (high - low) || 1;
      return { ...base(timed, [low - room, high + room], true), series, bands, data };
    });
  };

  /** A neighbour: its window, and what followed, which stands out. */
  page.followedChart = ({ key, place, window, continuation, range, height = 110 }) => {
    const [before, after] = [window[key] ?? [], continuation?.[key] ?? []];
    return page.chart(`${page.inWords(key, before)}; then ${page.inWords("what followed", after)}`, height, () => {
      const x = [...before, ...after].map((_, step) => step - before.length);
      return {
        ...base(false, range, true),
        series: [{}, { stroke: style("--pale-ink"), width: 1.4, points: { show: false } }, { stroke: colour(place), width: 2.2, points: { show: false } }],
        data: [x, [...before, ...after.map(() => null)], [...before.slice(1).map(() => null), ...(before.length ? [before.at(-1)] : []), ...after]],
      };
    });
  };
})();
