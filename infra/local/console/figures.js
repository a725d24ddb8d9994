/** The country's figures as they are published each night; here they can be counted at once. */

import { $, h, show } from "./dom.js";
import { t } from "./language.js";

const FAMILIES = { DE: "german", OLD: "old", KR: "kurdistan", UN: "unified" };

let figures = null;

export function start() {
  $("figures-count").addEventListener("click", count);
}

async function count() {
  $("figures-count").disabled = true;
  const answer = await fetch("/_local/figures", { method: "POST" });
  figures = answer.ok ? await answer.json() : null;
  $("figures-count").disabled = false;
  render();
}

export function render() {
  if (!figures) return;
  show($("figures-about"), t("figures.about", {
    date: figures.date,
    settled: shown(figures.settled.violations),
    dinars: shown(figures.settled.dinars),
    early: shown(figures.settled.before_doubling),
  }));
  show($("figures-table"), h("table", {},
    h("tbody", {}, ...figures.violations.map((cell) => h("tr", {},
      h("td", {}, t(`family.${FAMILIES[cell.family]}`)),
      h("td", {}, cell.governorate),
      h("td", {}, t(`status.${cell.status}`)),
      h("td", {}, shown(cell.count)))))));
}

/** A figure; fewer than ten, and what is not known, is not shown. */
function shown(value) {
  return value === null ? t("figures.few") : value.toLocaleString("en");
}
