/** The directorate's pane: a file goes up, its progress is followed, its report is shown. */

import { ApiError, call } from "./api.js";
import { $, errorBox, h, isolated, show, sleep } from "./dom.js";
import { language, number, t, tn } from "./language.js";
import { sampleFile } from "./sample.js";

const CLERK = { sub: "directorate-clerk", scope: "directorate" };
const COUNTS = ["inserted", "updated", "unchanged", "stale", "rejected"];
const FORESEEN = ["moved", "reopened", "people"];
const POLL = 700;

let file = null;
let state = { step: "idle" };

export function start() {
  $("file").addEventListener("change", () => {
    choose($("file").files[0]);
    // Else choosing the same file again would not be a change.
    $("file").value = "";
  });
  $("sample").addEventListener("click", () => choose(sampleFile()));
  $("upload").addEventListener("submit", (event) => {
    event.preventDefault();
    upload();
  });
  const drop = $("drop");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
}

export function render() {
  const busy = ["sending", "waiting", "loading"].includes(state.step);
  $("send").disabled = !file || busy;
  $("sample").disabled = busy;
  $("file").disabled = busy;
  $("drop").classList.toggle("filled", Boolean(file));
  show($("chosen"), ...(file ? [isolated(file.name), h("small", {}, size(file.size))] : [t("upload.choose")]));
  show($("upload-state"), ...VIEWS[state.step](state));
}

function choose(chosen) {
  if (!chosen) return;
  file = chosen;
  turn({ step: "idle" });
}

function turn(next) {
  state = next;
  render();
}

async function upload() {
  const sent = file;
  if (!sent.size) return turn({ step: "error", error: t("upload.empty") });
  turn({ step: "sending", done: 0, of: sent.size });
  try {
    const { origin, encoding, accept, as_of, check } = Object.fromEntries(new FormData($("upload")));
    const accepted = accept.match(/[^\s,;]+/g) ?? [];
    const declared = { encoding, accept: accepted, as_of: as_of || null, check: Boolean(check) };
    const asked = { origin, format: format(sent.name), size: sent.size, ...declared };
    const slot = await call(CLERK, "POST", "/v1/uploads", asked);
    await post(slot, sent);
    file = null;
    await follow(slot.upload_id);
  } catch (error) {
    turn({ step: "error", error: error.message });
  }
}

/** The format that a file's name says; what it is in truth, the report says. */
function format(name) {
  return ["csv.gz", "xlsx"].find((ending) => name.toLowerCase().endsWith(`.${ending}`)) ?? "csv";
}

/** Posts the form that the API signed. XMLHttpRequest, because fetch does not tell how much has gone up. */
function post(slot, sent) {
  const form = new FormData();
  for (const [name, value] of Object.entries(slot.fields)) form.append(name, value);
  form.append("file", sent);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", slot.url);
    request.upload.addEventListener("progress", (event) => turn({ step: "sending", done: event.loaded, of: event.total }));
    request.addEventListener("error", () => reject(new ApiError(0)));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Error(t("upload.refused", { status: request.status })));
    });
    request.send(form);
  });
}

async function follow(uploadId) {
  turn({ step: "waiting" });
  for (;;) {
    const upload = await call(CLERK, "GET", `/v1/uploads/${encodeURIComponent(uploadId)}`);
    if (upload.status === "loading") turn({ step: "loading", found: upload.rows_found, done: upload.rows_done });
    else if (upload.status !== "waiting") return turn({ step: "report", status: upload.status, report: upload.report });
    await sleep(POLL);
  }
}

const VIEWS = {
  idle: () => [],
  error: ({ error }) => [errorBox(error)],
  sending: ({ done, of }) => [progress(t("upload.sending"), done, of)],
  waiting: () => [progress(t("upload.waiting"))],
  loading: ({ done, found }) => [
    progress(t("upload.loading", { done: number(done), found: number(found) }), done, found || undefined),
  ],
  report: ({ status, report }) => [
    h("div", { class: "report", "data-status": status },
      h("p", { class: `status ${TONES[status]}` }, t(`upload.status.${status}`)),
      report?.error && errorBox(said(report.error)),
      report?.counts && counts(report.counts),
      report?.check && counted(FORESEEN, report.check),
      report?.rejects && notices(t("upload.reasons"), report.rejects.reasons),
      report?.warnings.length ? notices(t("upload.warnings"), report.warnings) : null),
  ],
};

const TONES = {
  loaded: "paid",
  loaded_with_many_rejects: "pending",
  numbers_wait: "pending",
  nothing_loaded: "failed",
  failed: "failed",
  refused: "failed",
  checked: "pending",
};

function progress(label, value, max) {
  return h("label", { class: "progress" }, label, h("progress", { value, max }));
}

function counts(found) {
  return counted(COUNTS, found,
    h("div", { class: "total" }, h("dt", {}, t("upload.rows")), h("dd", { "data-count": "rows" }, number(found.rows))));
}

function counted(names, found, ...before) {
  return h("dl", { class: "counts" }, ...before,
    ...names.map((name) =>
      h("div", { class: name === "rejected" && found[name] ? "attention" : null },
        h("dt", {}, t(`upload.${name}`)), h("dd", { "data-count": name }, number(found[name])))));
}

function notices(title, list) {
  return h("div", { class: "notices" }, h("b", {}, title),
    h("ul", {}, ...list.map((notice) => h("li", {}, said(notice),
      h("small", {}, tn("upload.rows_from", notice.rows), " ", t("upload.first_line", { line: number(notice.first_line) }))))));
}

function said({ column, message, message_en: english }) {
  const words = language() === "en" ? english : message;
  return h("span", {}, words, column ? " " : "", column ? isolated(column, { class: "column" }) : "");
}

function size(bytes) {
  const [unit, scale] = bytes < 1024 * 1024 ? ["KB", 1024] : ["MB", 1024 * 1024];
  return `${number(Math.max(0.1, Math.round((bytes / scale) * 10) / 10))} ${unit}`;
}
