/** The list of violations of one plate, and choosing which of them to pay. */

import { h, isolated, show } from "./dom.js";
import { day, dinars, t, tn } from "./language.js";

export const plateTag = (plate) => isolated(plate.text, { class: "plate" });

/** The list; `pay(chosen)` is called with the violations that were chosen. */
export function violationList(violations, pay) {
  const chosen = new Set();
  const boxes = [];
  const bar = h("div", { class: "pay-bar", role: "group" });
  const update = () => {
    bar.classList.toggle("active", chosen.size > 0);
    const sum = [...chosen].reduce((total, violation) => total + violation.due.amount, 0);
    show(bar,
      h("p", { role: "status" }, tn("pay.chosen", chosen.size), chosen.size ? h("b", {}, dinars(sum)) : null),
      h("button", { type: "button", class: "primary", disabled: !chosen.size, onclick: () => pay([...chosen]) }, t("pay.go")));
  };
  const choose = (violation, on) => {
    if (on) chosen.add(violation);
    else chosen.delete(violation);
  };
  const items = violations.map((violation) => {
    const box = violation.status === "unpaid" ? h("input", {
      type: "checkbox",
      "aria-label": `${t("violation.choose")}: ${title(violation)}, ${dinars(violation.due.amount)}`,
      onchange: () => {
        choose(violation, box.checked);
        update();
      },
    }) : null;
    if (box) boxes.push([violation, box]);
    return row(violation, box);
  });
  const all = h("input", {
    type: "checkbox",
    onchange: () => {
      for (const [violation, box] of boxes) {
        box.checked = all.checked;
        choose(violation, all.checked);
      }
      update();
    },
  });
  update();
  return h("div", { class: "violations" },
    h("div", { class: "list-head" }, h("h3", {}, t("violations")),
      boxes.length > 1 ? h("label", { class: "check" }, all, h("span", {}, t("pay.all"))) : null),
    h("ol", {}, ...items),
    boxes.length ? bar : null);
}

const title = (violation) => violation.title || t("violation.untitled");

function row(violation, box) {
  const { due, sector } = violation;
  const facts = [
    t("violation.on", { at: day(violation.occurred_at) }),
    violation.legal_ref && t("violation.article", { ref: violation.legal_ref }),
    sector.name || sector.governorate?.name,
  ].filter(Boolean);
  return h("li", { class: `violation ${violation.status}`, "data-violation": violation.violation_no },
    h("label", {},
      h("span", { class: "pick" }, box),
      h("span", { class: "what" },
        h("b", {}, isolated(title(violation))),
        h("small", {}, ...facts.flatMap((fact, index) => [index ? " · " : "", isolated(fact)])),
        h("small", {}, t("violation.no"), " ", isolated(violation.violation_no, { dir: "ltr" }))),
      h("span", { class: "how-much" },
        h("strong", {}, dinars(due ? due.amount : violation.base_amount)),
        h("span", { class: "tags" },
          h("span", { class: `tag ${violation.status}` }, t(`status.${violation.status}`)),
          due ? h("span", { class: `tag ${due.stage}` }, t(`stage.${due.stage}`)) : null)),
      h("span", { class: "change" }, ...change(violation))));
}

function change({ due, status, paid_at: paidAt, receipt_no: receipt }) {
  if (due?.window) return [t("violation.window", { until: day(due.window.until), was: dinars(due.window.was) })];
  if (due?.changes_at) {
    return [h("span", { class: "rises" }, t("violation.rises", { amount: dinars(due.next_amount), at: day(due.changes_at) }))];
  }
  if (due) return [t("violation.settled")];
  if (status !== "paid") return [];
  return [
    paidAt ? t("violation.paid_on", { at: day(paidAt) }) : null,
    receipt ? h("span", {}, paidAt ? " · " : "", t("violation.receipt"), " ", isolated(receipt, { dir: "ltr" })) : null,
  ].filter(Boolean);
}
