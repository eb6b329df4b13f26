// SPDX-License-Identifier: Apache-2.0
// A client of a Sluice server for browsers and Node 18 or later: calls by their names in openapi.json, over fetch or over one WebSocket.
// Events have numbers; when a connection breaks off, what can be gone on with goes on behind the last number that was seen, so that
// none is missed and none comes twice. It depends on nothing.
import { operations } from "./api.mjs";

export { operations };

/** What a server refuses, or a connection that could not be had (code "connection"). */
export class SluiceError extends Error {
  constructor(problem) {
    super(problem.title ?? problem.message ?? "the server did not answer");
    this.name = "SluiceError";
    this.code = problem.code ?? "connection";
    this.status = problem.status ?? 0;
    this.hint = problem.hint ?? "";
    this.problem = problem;
  }
}

const sleep = (ms, signal) =>
  new Promise((done, fail) => {
    const end = () => {
      clearTimeout(timer);
      fail(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      done();
    }, ms);
    if (signal?.aborted) {
      end();
    } else {
      signal?.addEventListener("abort", end, { once: true });
    }
  });

/** Waits that grow from 50 ms to 2 s, until `patience` ms in a row have brought nothing. */
class Backoff {
  constructor(patience) {
    this.patience = patience;
    this.well();
  }

  well() {
    this.since = 0;
    this.ms = 50;
  }

  async wait(error, signal) {
    this.since ||= Date.now();
    if (Date.now() - this.since >= this.patience) {
      throw error instanceof SluiceError ? error : new SluiceError({ message: error?.cause?.message ?? error?.message });
    }
    await sleep(this.ms, signal);
    this.ms = Math.min(this.ms * 2, 2000);
  }
}

function newKey() {
  return "js-" + globalThis.crypto.randomUUID();
}

/** {"event", "id", "data"} of each event of a stream of bytes, as the standard of server-sent events has them. */
export async function* parseEvents(body) {
  const decoder = new TextDecoder();
  let text = "", event = "", data = [], id;
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    let end;
    while ((end = text.indexOf("\n")) >= 0) {
      const line = text.slice(0, end).replace(/\r$/, "");
      text = text.slice(end + 1);
      if (line === "") {
        if (data.length) {
          yield { event: event || "message", id, data: data.join("\n") };
        }
        [event, data, id] = ["", [], undefined];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") {
        event = value;
      } else if (field === "data") {
        data.push(value);
      } else if (field === "id") {
        id = value;
      }
    }
  }
}

async function* chunksOf(stream) {
  const reader = stream.getReader(); // Safari's streams are no iterables
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export class Sluice {
  /**
   * @param {string} url of the server: "http://127.0.0.1:8083"
   * @param {{token?: string, patience?: number, fetch?: typeof fetch, WebSocket?: typeof WebSocket}} [options]
   */
  constructor(url, options = {}) {
    this.url = url.replace(/\/+$/, "");
    this.token = options.token;
    this.patience = options.patience ?? 30000;
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.WebSocket = options.WebSocket ?? globalThis.WebSocket;
  }

  request(name, params, headers) {
    const operation = operations[name];
    if (!operation) {
      throw new TypeError(`there is no call '${name}'`);
    }
    const rest = { ...params };
    const path = operation.path.replace(/\{(\w+)\}/g, (_, key) => {
      const value = rest[key];
      delete rest[key];
      if (value === undefined) {
        throw new TypeError(`${name} needs '${key}'`);
      }
      return encodeURIComponent(value);
    });
    const query = new URLSearchParams();
    for (const key of operation.query) {
      if (rest[key] !== undefined) {
        query.set(key, rest[key]);
      }
      delete rest[key];
    }
    const init = { method: operation.method, headers: { accept: "application/json", ...headers } };
    if (this.token) {
      init.headers.authorization = `Bearer ${this.token}`;
    }
    if (operation.brings) {
      init.headers["content-type"] = "application/octet-stream";
      init.body = rest.content;
    } else if (Object.keys(rest).length || operation.method === "POST") {
      init.headers["content-type"] = "application/json";
      init.body = JSON.stringify(rest);
    }
    const text = query.toString();
    return [this.url + path + (text ? "?" + text : ""), init];
  }

  /** Sends it; waits as the server asks where it has too much to do. Anything but 2xx is a SluiceError. */
  async send(name, params, headers, signal) {
    const [url, init] = this.request(name, params, headers);
    for (let tries = 0; ; tries++) {
      const answer = await this.fetch(url, { ...init, signal });
      if (answer.ok) {
        return answer;
      }
      const text = await answer.text();
      const later = answer.headers.get("retry-after");
      if (later && (answer.status === 429 || answer.status === 503) && tries < 3) {
        await sleep(Number(later) * 1000, signal);
        continue;
      }
      let problem;
      try {
        problem = JSON.parse(text);
      } catch {
        problem = { title: `${answer.status} ${answer.statusText}`, status: answer.status, code: "http" };
      }
      throw new SluiceError(problem);
    }
  }

  /** One call, one answer. */
  async call(name, params = {}, { signal } = {}) {
    const answer = await this.send(name, params, {}, signal);
    return operations[name].gives ? answer.arrayBuffer() : answer.json();
  }

  /**
   * Events of a call as they come: {number, event}; what the generator returns is the answer. A stream that breaks off is gone on
   * with. Rows of a submission have no number: they come once, to the connection that brought it.
   */
  async *events(name, params = {}, { signal } = {}) {
    const operation = operations[name];
    if (!operation?.events) {
      throw new TypeError(`'${name}' has no events`);
    }
    const headers = { accept: "text/event-stream" };
    const sent = { ...params };
    if (operation.takes.includes("key")) {
      sent.key ??= newKey();
    }
    this.request(name, sent, headers); // what is wrong with it is told now
    const backoff = new Backoff(this.patience);
    for (;;) {
      let broken = new SluiceError({ message: "the stream broke off" });
      try {
        const answer = await this.send(name, sent, headers, signal);
        for await (const e of parseEvents(chunksOf(answer.body))) {
          backoff.well();
          const data = JSON.parse(e.data);
          if (e.event === "end") {
            return data;
          }
          if (e.event === "problem") {
            throw new SluiceError(data);
          }
          if (e.id !== undefined) {
            headers["last-event-id"] = e.id;
          }
          yield { number: e.id === undefined ? undefined : Number(e.id), event: data };
        }
      } catch (error) {
        if (signal?.aborted || (error instanceof SluiceError && error.status !== 503)) {
          throw error;
        }
        broken = error;
      }
      await backoff.wait(broken, signal);
      if (operation.takes.includes("resumed")) {
        sent.resumed = true;
      }
    }
  }

  /** A WebSocket that comes back by itself. */
  connect() {
    return new SluiceSocket(this);
  }
}

/** Calls over one WebSocket (JSON-RPC 2.0). */
export class SluiceSocket {
  constructor(client) {
    if (!client.WebSocket) {
      throw new TypeError("there is no WebSocket here: give one as options.WebSocket");
    }
    this.client = client;
    this.calls = new Map();
    this.nextId = 1;
    this.closed = false;
    this.backoff = new Backoff(client.patience);
    this.open();
  }

  open() {
    const socket = new this.client.WebSocket(this.client.url.replace(/^http/, "ws") + "/ws", "sluice.v1");
    this.socket = socket;
    this.ready = false;
    let opened = false, gone = false;
    const lost = (e) => {
      if (!gone) {
        gone = true;
        this.onClose(e);
      }
    };
    socket.onopen = () => {
      opened = true;
      if (this.client.token) { // browsers cannot set a header
        socket.send(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "auth", params: { token: this.client.token } }));
      } else {
        this.isReady();
      }
    };
    socket.onmessage = (m) => this.onMessage(JSON.parse(m.data));
    socket.onclose = lost;
    socket.onerror = () => { // some tell no close of what never opened
      if (!opened) {
        lost({ code: 1006, reason: "" });
      }
    };
  }

  isReady() {
    this.ready = true;
    for (const [id, call] of this.calls) {
      this.post(id, call);
    }
  }

  post(id, call) {
    const params = { ...call.params };
    if (call.last !== undefined && call.operation.takes.includes("since")) {
      params.since = call.last;
    }
    if (call.posted && call.operation.takes.includes("resumed")) {
      params.resumed = true;
    }
    call.posted = true;
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: call.name, params }));
  }

  onMessage(m) {
    this.backoff.well();
    if (m.method === "event") {
      const call = this.calls.get(m.params.call);
      if (call) {
        call.last = m.params.number ?? call.last;
        call.onEvent?.({ number: m.params.number, event: m.params.event });
      }
      return;
    }
    if (m.id === 0) {
      this.isReady();
      return;
    }
    const call = this.calls.get(m.id);
    if (!call) {
      return;
    }
    this.calls.delete(m.id);
    if (m.error) {
      call.fail(new SluiceError({ title: m.error.message, ...m.error.data }));
    } else {
      call.done(m.result);
    }
  }

  async onClose(e) {
    const error = new SluiceError({ message: e.reason || "the connection broke off", code: e.code === 4401 ? "unauthorized" : "connection" });
    for (const [id, call] of this.calls) {
      if (call.posted && !call.operation.events) { // whether it was done is not known
        this.calls.delete(id);
        call.fail(error);
      }
    }
    if (this.closed || e.code === 4401) {
      this.closed = true;
      this.failAll(error);
      return;
    }
    try {
      await this.backoff.wait(error);
      if (!this.closed) {
        this.open();
      }
    } catch (why) {
      this.closed = true;
      this.failAll(why);
    }
  }

  failAll(error) {
    for (const call of this.calls.values()) {
      call.fail(error);
    }
    this.calls.clear();
  }

  /** Calls with events are gone on with when the connection breaks off; others fail with the code "connection". */
  call(name, params = {}, { onEvent, signal } = {}) {
    const operation = operations[name];
    if (!operation) {
      throw new TypeError(`there is no call '${name}'`);
    }
    if (this.closed) {
      return Promise.reject(new SluiceError({ message: "this socket is closed" }));
    }
    return new Promise((done, fail) => {
      const id = this.nextId++;
      const call = { name, operation, params: { ...params }, onEvent, done, fail, posted: false, last: undefined };
      if (operation.takes.includes("key")) {
        call.params.key ??= newKey();
      }
      this.calls.set(id, call);
      signal?.addEventListener("abort", () => {
        if (this.calls.delete(id)) {
          if (this.ready) {
            this.socket.send(JSON.stringify({ jsonrpc: "2.0", method: "cancel", params: { call: id } }));
          }
          fail(signal.reason);
        }
      }, { once: true });
      if (this.ready) {
        this.post(id, call);
      }
    });
  }

  close() {
    this.closed = true;
    this.socket.close();
    this.failAll(new SluiceError({ message: "the socket was closed" }));
  }
}
