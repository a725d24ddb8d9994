/** The phone's pane: the SMS of the number that is signed in, as they come. */

import { local } from "./api.js";
import { $, h, isolated, show } from "./dom.js";
import { clock, day, t } from "./language.js";

const POLL = 1500;

let number = null;
let messages = [];
let lost = false;
let unread = 0;

export function start() {
  new IntersectionObserver(([entry]) => entry.isIntersecting && seen(), { threshold: 0.4 }).observe($("phone"));
  setInterval(() => !document.hidden && number && fetchMessages(), POLL);
}

/** Shows the messages of `phone`; none where it is null. */
export function watch(phone) {
  number = phone;
  messages = [];
  lost = false;
  seen();
  render();
  if (number) fetchMessages();
}

export function render() {
  show($("phone-number"), number ? isolated(number, { dir: "ltr" }) : "");
  if (messages.length) show($("messages"), ...messages.map(bubble));
  else show($("messages"), h("li", { class: "empty" }, t(number ? (lost ? "phone.lost" : "phone.empty") : "phone.out")));
  $("messages").scrollTop = $("messages").scrollHeight;
}

async function fetchMessages() {
  const asked = number;
  let found = messages;
  let failed = false;
  try {
    found = await local("GET", `/_local/sms?phone=${encodeURIComponent(asked)}`);
  } catch {
    failed = true;
  }
  if (asked !== number || (found.length === messages.length && failed === lost)) return;
  lost = failed;
  const fresh = found.slice(messages.length);
  const first = messages.length === 0;
  messages = found;
  if (first || !fresh.length) render();
  else {
    $("messages").append(...fresh.map(bubble));
    $("messages").scrollTo({ top: $("messages").scrollHeight, behavior: "smooth" });
  }
  unread += fresh.length;
  showUnread();
}

function bubble(message) {
  return h("li", { class: "sms" },
    h("p", { dir: "auto" }, message.text),
    h("time", { datetime: message.at }, isolated(`${day(message.at)} ${clock(message.at)}`, { dir: "ltr" })));
}

function seen() {
  unread = 0;
  showUnread();
}

function showUnread() {
  const box = $("phone").getBoundingClientRect();
  if (box.top < innerHeight * 0.6 && box.bottom > 0) unread = 0;
  $("unread").hidden = !unread;
  $("unread").textContent = unread;
}
