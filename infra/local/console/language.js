/** The language of the page, and how it writes numbers, amounts and times. */

import { TEXTS } from "./texts.js";

const KEY = "language";
const ZONE = "Asia/Baghdad";
const NUMBER = new Intl.NumberFormat("en-US");
// Digits as in the SMS, in both languages: day/month/year, 24 hours.
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, day: "2-digit", month: "2-digit", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" });

let current = localStorage.getItem(KEY) === "en" ? "en" : "ar";

export const language = () => current;

export function setLanguage(next) {
  current = next;
  localStorage.setItem(KEY, next);
}

/** The words of `key` with `{name}` replaced by `values.name`. */
export function t(key, values = {}) {
  return fill(TEXTS[current][key], values);
}

/** The words of `key` in the form that the number `n` asks for. */
export function tn(key, n) {
  const forms = TEXTS[current][key];
  const form = n === 0 ? "zero" : new Intl.PluralRules(current).select(n);
  return fill(forms[form] ?? forms.other, { n: number(n) });
}

export const number = (n) => NUMBER.format(n);

export const dinars = (amount) => t("dinars", { n: number(amount) });

/** A date (`2026-12-24`) or an instant, as a day in Baghdad. */
export function day(text) {
  const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return date ? `${date[3]}/${date[2]}/${date[1]}` : DAY.format(new Date(text));
}

export const clock = (text) => CLOCK.format(new Date(text));

function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
