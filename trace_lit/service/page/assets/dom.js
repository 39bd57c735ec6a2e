/* Elements, words and numbers. Whatever comes from data is set as text, never as markup. */
"use strict";
const page = {};

(() => {
  /** An element with attributes and children; on… attributes are listeners, strings are text. */
  page.make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };

  page.find = (id) => document.getElementById(id);

  /** Say something to people who do not see the page. */
  page.announce = (words) => { page.find("status").textContent = words; };

  page.plural = (count, one, many) => `${page.whole(count)} ${count === 1 ? one : many ?? one + "s"}`;
  page.whole = (number) => number.toLocaleString("en-GB");
  page.percent = (share) => `${Math.floor(100 * share)} %`;

  /** A number with three or four significant digits. */
  page.number = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(2);
    return value.toLocaleString("en-GB", { maximumFractionDigits: size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3 });
  };

  page.signed = (score) => `${score < -0.0005 ? "−" : "+"}${Math.abs(score).toFixed(3)}`;

  const formatter = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  const day = formatter({ day: "numeric", month: "short", year: "numeric" });
  const short = formatter({ day: "numeric", month: "short" });
  const month = formatter({ month: "short", year: "numeric" });
  const clock = formatter({ hour: "2-digit", minute: "2-digit" });
  const DAY = 86400;
  const date = (seconds) => new Date(1000 * seconds);
  page.seconds = (iso) => Date.parse(iso.endsWith("Z") ? iso : `${iso}Z`) / 1000;
  const timed = (format, seconds) => (seconds % DAY === 0 ? format.format(date(seconds)) : `${format.format(date(seconds))}, ${clock.format(date(seconds))}`);
  page.moment = (seconds) => timed(day, seconds);

  /** Marks of a time axis, `step` seconds apart. */
  page.ticks = (seconds, step) => seconds.map((tick) => {
    if (step >= 300 * DAY) return String(date(tick).getUTCFullYear());
    if (step >= 27 * DAY) return month.format(date(tick));
    return tick % DAY === 0 ? short.format(date(tick)) : clock.format(date(tick));
  });

  /** From when to when a window reaches, short. */
  page.span = (start, end) => {
    const [from, to] = [page.seconds(start), page.seconds(end)];
    if (Math.floor(from / DAY) === Math.floor((to - 1) / DAY)) {
      return to - from === DAY ? day.format(date(from)) : `${page.moment(from)} – ${clock.format(date(to))}`;
    }
    const one = date(from).getUTCFullYear() === date(to).getUTCFullYear();
    if (from % DAY === to % DAY && from % DAY) return `${(one ? short : day).format(date(from))} – ${day.format(date(to))}, ${clock.format(date(to))}`;
    return one ? `${timed(short, from)} – ${page.moment(to)}` : `${page.moment(from)} – ${page.moment(to)}`;
  };

  /** With a capital, unless the first word is a name of something else, like window.csv: these are case-sensitive. */
  page.capitalised = (words) => (/^\p{L}+[,;:]?(\s|$)/u.test(words) ? words.charAt(0).toUpperCase() + words.slice(1) : words);

  /** A list in words: a, b and c. */
  page.listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

  page.channelParts = (key) => {
    const found = /^(.*) \[(.*)\]$/.exec(key);
    return found ? { name: found[1], unit: found[2] } : { name: key, unit: "" };
  };

  page.download = (blob, name) => {
    const link = page.make("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  /** Light or dark, as the system has it until somebody chooses. */
  page.theme = () => document.documentElement.dataset.theme
    ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
})();
