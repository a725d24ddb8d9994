/** Calls of the API, signed in as somebody. Plates and tokens travel in bodies and headers, never in addresses. */

import { language, t } from "./language.js";

const tokens = new Map();

/** What went wrong, in words for a person; `status` is 0 where there was no answer, `problem` the answer's JSON. */
export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(words(status, problem));
    this.status = status;
    this.problem = problem;
  }
}

/** The JSON that the API answers to `person` ({sub, phone?, scope?}). Throws ApiError for anything but 2xx. */
export async function call(person, method, path, body, headers = {}) {
  let response = await send(person, method, path, body, headers);
  if (response.status === 401) {
    tokens.delete(person.sub);
    response = await send(person, method, path, body, headers);
  }
  return read(response);
}

/** The JSON of one of the local calls, which need no token. */
export async function local(method, path, body) {
  return read(await request(method, path, body));
}

async function send(person, method, path, body, headers) {
  if (!tokens.has(person.sub)) {
    tokens.set(person.sub, (await local("POST", "/_local/token", person)).token);
  }
  return request(method, path, body, {
    Authorization: `Bearer ${tokens.get(person.sub)}`,
    "Accept-Language": language(),
    ...headers,
  });
}

async function request(method, path, body, headers = {}) {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  try {
    return await fetch(path, { method, headers: { ...json, ...headers }, body: JSON.stringify(body) });
  } catch {
    throw new ApiError(0);
  }
}

async function read(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

function words(status, problem) {
  if (status === 0 || status === 502 || status === 503) return t("error.network");
  const title = problem.title ?? problem.message;
  const reasons = (problem.errors ?? []).map((error) => error.message);
  return [title, ...reasons].filter(Boolean).join(": ") || t("error.unknown", { status });
}
