/** The console: three panes on one page, Arabic first. */

import * as citizen from "./citizen.js";
import * as directorate from "./directorate.js";
import { $ } from "./dom.js";
import * as figures from "./figures.js";
import { language, setLanguage, t } from "./language.js";
import * as phone from "./phone.js";
import * as published from "./published.js";

function render() {
  const root = document.documentElement;
  root.lang = language();
  root.dir = language() === "ar" ? "rtl" : "ltr";
  document.title = t("name");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = t(element.dataset.label);
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = t(element.dataset.placeholder);
  }
  $("language").textContent = t("language.other");
  $("language").lang = language() === "ar" ? "en" : "ar";
  directorate.render();
  citizen.render();
  phone.render();
  published.render();
  figures.render();
}

$("language").addEventListener("click", () => {
  setLanguage(language() === "ar" ? "en" : "ar");
  render();
});
directorate.start();
phone.start();
citizen.start();
published.start();
figures.start();
render();
