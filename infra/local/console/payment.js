/** Paying: to the gateway and back, then asking the API until the payment has ended. */

import { call } from "./api.js";
import { $, errorBox, h, isolated, show, sleep, spinner } from "./dom.js";
import { clock, day, dinars, number, t } from "./language.js";
import { recall, remember } from "./session.js";

const UNDECIDED = ["created", "pending"];
const HINTS = ["pending", "failed", "expired", "review"];
const TONES = { paid: "paid", refunded: "paid", failed: "failed", expired: "failed", cancelled: "failed" };
const POLL = 1000;
const PATIENCE = 60;

let person;
let settled;
let current = null;
let failure = "";
let starting = false;
let tired = false;
let drawing = false;
let key = { of: null, value: null };

/** `hooks.person()` is who pays; `hooks.settled()` is called when a payment has ended. */
export function start(hooks) {
  ({ person, settled } = hooks);
  const left = recall("payment");
  if (left && person()) follow(left);
}

/** Makes a payment of `violations` and goes to the gateway's page. */
export async function pay(violations) {
  const numbers = violations.map((violation) => violation.violation_no);
  // The same choice asked again, after an answer was lost, is the same payment.
  if (key.of !== numbers.join("\n")) key = { of: numbers.join("\n"), value: crypto.randomUUID() };
  if (starting) return;
  starting = true;
  failure = "";
  render();
  try {
    const made = await call(person(), "POST", "/v1/payments",
      { violations: numbers, gateway: "sandbox", return_url: `${location.origin}/` }, { "Idempotency-Key": key.value });
    key = { of: null, value: null };
    remember("payment", made.payment_id);
    if (made.redirect_url) return location.assign(made.redirect_url);
    // The gateway has not answered yet: what becomes of the payment shows here.
    starting = false;
    follow(made.payment_id);
  } catch (error) {
    starting = false;
    failure = error.message;
    render();
    $("payment").scrollIntoView({ block: "nearest" });
  }
}

/** Forgets the payment shown. */
export function drop() {
  current = null;
  failure = "";
  remember("payment", null);
  render();
}

export function render() {
  show($("payment"), starting ? spinner(t("loading")) : null, failure ? errorBox(failure) : null, current ? panel() : null);
}

/** Opens the receipt's page. It is asked for each time, because its address works for minutes only. */
async function openReceipt() {
  drawing = true;
  failure = "";
  render();
  try {
    const receipt = await call(person(), "GET", `/v1/payments/${encodeURIComponent(current.payment_id)}/receipt`);
    window.open(receipt.pdf.url, "_blank", "noopener");
  } catch (error) {
    failure = error.message;
  }
  drawing = false;
  render();
}

async function follow(paymentId) {
  tired = false;
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    try {
      const seen = await call(person(), "GET", `/v1/payments/${encodeURIComponent(paymentId)}`);
      if (recall("payment") !== paymentId) return;
      current = seen;
      failure = "";
    } catch (error) {
      failure = error.message;
    }
    render();
    if (tries === 0) $("payment").scrollIntoView({ block: "nearest" });
    if (current && !UNDECIDED.includes(current.status)) {
      // Seen once: the next load of the page does not bring it up again.
      remember("payment", null);
      return settled();
    }
    await sleep(POLL);
  }
  tired = true;
  render();
}

function panel() {
  const { status } = current;
  const undecided = UNDECIDED.includes(status);
  return h("div", { class: "payment", "data-status": status },
    h("p", { class: `status ${TONES[status] ?? "pending"}` },
      undecided && !tired ? h("span", { class: "spinner", "aria-hidden": "true" }) : null, t(`pay.${status}`)),
    HINTS.includes(status) ? h("p", { class: "hint" }, t(tired ? "pay.still" : `pay.${status}.hint`)) : null,
    h("dl", { class: "facts" },
      h("div", {}, h("dt", {}, t("pay.amount")), h("dd", {}, dinars(current.amount))),
      h("div", {}, h("dt", {}, t("pay.count")), h("dd", {}, number(current.items.length))),
      current.paid_at ? h("div", {}, h("dt", {}, t("pay.date")), h("dd", {}, when(current.paid_at))) : null,
      current.receipt_no
        ? h("div", {}, h("dt", {}, t("pay.receipt")), h("dd", {}, isolated(current.receipt_no, { dir: "ltr", class: "receipt-no" })))
        : null),
    h("div", { class: "row" },
      current.status === "paid"
        ? h("button", { type: "button", class: "primary receipt", disabled: drawing, onclick: openReceipt },
          t(drawing ? "loading" : "pay.pdf")) : null,
      undecided && current.redirect_url
        ? h("a", { class: "button secondary", href: current.redirect_url }, t("pay.continue")) : null,
      undecided && tired
        ? h("button", { type: "button", class: "secondary", onclick: () => follow(current.payment_id) }, t("pay.check")) : null,
      h("button", { type: "button", class: "quiet", onclick: drop }, t("pay.close"))));
}

const when = (text) => isolated(text.includes("T") ? `${day(text)} ${clock(text)}` : day(text), { dir: "ltr" });
