/** Every text that we send, so that whoever gets an SMS can tell it from a fraud. */

import { $, h, show } from "./dom.js";
import { t } from "./language.js";

const LANGUAGES = { ar: "العربية", ckb: "کوردی", en: "English" };

let published = { sender: "", texts: {} };

export async function start() {
  published = await (await fetch("/console/sms_texts.json")).json();
  render();
}

export function render() {
  show($("published-about"), t("published.about", published));
  show($("published-texts"), ...Object.entries(LANGUAGES).map(([language, name]) =>
    h("section", { lang: language, dir: language === "en" ? "ltr" : "rtl" },
      h("h3", {}, name),
      h("ol", {}, ...Object.values(published.texts).map((text) => h("li", { class: "sms" }, h("p", {}, text[language])))))));
}
