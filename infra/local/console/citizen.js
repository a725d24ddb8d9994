/** The citizen's pane: signing in, asking about a plate, choosing between its readings, following it. */

import { call } from "./api.js";
import { $, errorBox, h, isolated, show, spinner } from "./dom.js";
import { clock, day, dinars, t, tn } from "./language.js";
import * as payment from "./payment.js";
import * as phone from "./phone.js";
import { e164, forget, recall, remember } from "./session.js";
import { plateTag, violationList } from "./violations.js";

const DEMO = ["+9647700000001", "+9647700000002"];

let person = recall("person");
let answer = null;
let candidates = null;
let busy = false;
let failure = "";

export function start() {
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("plate").value.trim();
    if (text) ask(text, $("by-sms").checked);
    else refuse(t("ask.empty"));
  });
  payment.start({ person: () => person, settled: refresh });
  phone.watch(person?.phone ?? null);
}

export function render() {
  show($("identity"), person ? signedIn() : signInForm());
  $("ask").hidden = !person;
  renderAnswer();
  payment.render();
}

function signInForm() {
  const problem = h("p", { class: "error", id: "signin-error", role: "alert" });
  const input = h("input", {
    id: "signin-phone", type: "tel", dir: "ltr", maxlength: 20, autocomplete: "tel", placeholder: "07700000001",
    "aria-describedby": "signin-error",
  });
  const submit = (event) => {
    event.preventDefault();
    const number = e164(input.value);
    if (number) return signIn(number);
    problem.textContent = t("signin.bad");
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  return h("form", { class: "signin", novalidate: true, onsubmit: submit },
    h("h3", {}, t("signin.title")),
    h("div", { class: "demo" }, ...DEMO.map((number, index) =>
      h("button", { type: "button", class: "secondary", onclick: () => signIn(number) },
        t("signin.demo", { n: index + 1 }), h("small", {}, isolated(number, { dir: "ltr" }))))),
    h("label", { class: "field", for: "signin-phone" }, t("signin.or")),
    h("div", { class: "ask-row" }, input, h("button", { type: "submit", class: "primary" }, t("signin.go"))),
    problem);
}

function signedIn() {
  return h("p", { class: "signed-in" },
    h("span", {}, t("signin.as"), " ", isolated(person.phone, { dir: "ltr" })),
    h("button", { type: "button", class: "quiet", onclick: signOut }, t("signin.out")));
}

function signIn(number) {
  person = { sub: `local-${number.slice(1)}`, phone: number };
  remember("person", person);
  phone.watch(number);
  render();
  $("plate").focus();
}

function signOut() {
  forget();
  person = answer = candidates = null;
  failure = "";
  $("plate").value = "";
  refuse("");
  payment.drop();
  phone.watch(null);
  render();
}

function refuse(reason) {
  $("ask-error").textContent = reason;
  if (reason) $("plate").setAttribute("aria-invalid", "true");
  else $("plate").removeAttribute("aria-invalid");
  if (reason) $("plate").focus();
}

/** Asks about `plate`: text as typed, or the plate object of an earlier answer. */
async function ask(plate, sms) {
  refuse("");
  candidates = null;
  await working(async () => {
    try {
      const found = await call(person, "POST", "/v1/queries", { plate, sms });
      answer = found;
      remember("plate", found.plate);
    } catch (error) {
      answer = null;
      if (error.status === 409 && error.problem.candidates) candidates = error.problem.candidates;
      else if (error.status === 422) refuse(error.message);
      else throw error;
    }
  });
}

/** Asks again about the plate shown last, after a payment changed it; without an SMS, which the payment sends. */
function refresh() {
  const plate = recall("plate");
  if (plate) ask(plate, false);
}

async function more() {
  await working(async () => {
    const page = await call(person, "GET",
      `/v1/queries/${encodeURIComponent(answer.query_id)}?cursor=${encodeURIComponent(answer.next_cursor)}`);
    answer = {
      ...answer,
      violations: [...answer.violations, ...page.items],
      next_cursor: page.next_cursor,
    };
  });
}

async function follow(relation) {
  await working(async () => {
    await call(person, "POST", "/v1/vehicles", { plate: answer.plate, relation, notify: true });
    remember("followed", [...followed(), identity(answer.plate)]);
  });
}

const followed = () => recall("followed") ?? [];

const identity = ({ family, governorate, category, letter, number }) =>
  [family, governorate.code, category, letter, number].join("#");

async function working(step) {
  busy = true;
  failure = "";
  renderAnswer();
  try {
    await step();
  } catch (error) {
    failure = error.message;
  }
  busy = false;
  renderAnswer();
}

function renderAnswer() {
  for (const button of $("ask").querySelectorAll("button")) button.disabled = busy;
  show($("answer"),
    busy ? spinner(t("loading")) : null,
    failure ? errorBox(failure) : null,
    person && candidates ? choices() : null,
    person && answer ? found() : null);
}

function choices() {
  return h("div", { class: "candidates", role: "group", "aria-label": t("ask.which") },
    h("h3", {}, t("ask.which")),
    ...candidates.map((plate) => h("button",
      { type: "button", class: "secondary", onclick: () => ask(plate, $("by-sms").checked) },
      plateTag(plate), h("small", {}, kind(plate)))));
}

function kind(plate) {
  return [t(`family.${plate.family}`), plate.category && t(`category.${plate.category}`)].filter(Boolean).join(" · ");
}

function found() {
  const { plate, totals, violations, as_of: at, sms } = answer;
  const note = t(`sms.${sms.status}`);
  return h("div", { class: "found" },
    h("div", { class: "summary" },
      h("div", {}, plateTag(plate), h("small", {}, kind(plate))),
      totals.count
        ? h("div", { class: "owed" }, h("small", {}, t("totals.owed")), h("strong", {}, dinars(totals.amount)),
          h("span", {}, tn("totals.unpaid", totals.unpaid_count)))
        : h("div", { class: "owed none" }, h("strong", {}, t("totals.none"))),
      h("p", { class: "asof" },
        [at && t("totals.as_of", { at: `${day(at)} ${clock(at)}` }), note].filter(Boolean).join(" · "))),
    followForm(totals.count),
    violations.length ? violationList(violations, (chosen) => payment.pay(chosen)) : null,
    violations.length ? h("p", { class: "asof" }, answer.objections_where) : null,
    answer.next_cursor
      ? h("button", { type: "button", class: "secondary wide", onclick: more, disabled: busy }, t("more"))
      : null);
}

function followForm(count) {
  if (followed().includes(identity(answer.plate))) return h("p", { class: "status paid following", role: "status" }, t("follow.done"));
  const whose = h("select", { "aria-label": t("follow.whose") },
    h("option", { value: "self" }, t("follow.as.self")), h("option", { value: "family" }, t("follow.as.family")));
  const submit = (event) => {
    event.preventDefault();
    follow(whose.value);
  };
  return h("form", { class: "follow", onsubmit: submit },
    count ? null : h("p", {}, t("totals.none.hint")),
    whose, h("button", { type: "submit", class: "secondary", disabled: busy }, t("follow.go")));
}
