// SPDX-License-Identifier: Apache-2.0
// What the client is to do, one part a name, the same in Node and in a browser: run(URL, TOKEN, PART, tell) gives what was seen.
import { parseEvents, Sluice, SluiceError } from "./client/sluice.mjs";

const SCRIPT = "CREATE TABLE t (a INT) WITH ('connector'='datagen');\nCREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o SELECT a FROM t;\n";

const failureOf = async (promise) => {
  try {
    return { answer: await promise };
  } catch (e) {
    return { isSluiceError: e instanceof SluiceError, code: e.code, status: e.status, line: e.problem?.line, message: e.message };
  }
};

/** A call over a socket that may be cut while it is under way: it is not known whether it was done, so it is for the caller to ask again. */
async function again(call) {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (e) {
      if (e.code !== "connection" || tries > 100) {
        throw e;
      }
    }
  }
}

async function follow(iterator, tell) {
  const numbers = [];
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) {
      return { numbers, answer: value };
    }
    numbers.push(value.number);
    tell?.(value.number);
  }
}

const parts = {
  async calls(s) {
    const seen = { hello: await s.call("hello") };
    seen.check = await s.call("script.check", { text: "SELECT 1 FORM t;" });
    seen.unknown = await failureOf(s.call("job.show", { job: "nö such?x" }));
    seen.wrong = await failureOf(s.call("script.check", { text: 7 }));
    seen.noToken = await failureOf(new Sluice(s.url).call("job.list"));
    seen.list = await s.call("job.list", { all: true });
    const bytes = new Uint8Array(100000).fill(7);
    bytes.set([0x50, 0x4b, 3, 4]);
    seen.brought = await s.call("artifact.add", { name: "ü b.jar", content: new Blob([bytes]) });
    seen.given = new Uint8Array(await s.call("artifact.read", { digest: seen.brought.digest })).every((b, i) => b === bytes[i]);
    seen.removed = await s.call("artifact.remove", { digest: seen.brought.digest });
    seen.notBrought = await failureOf(s.call("artifact.add", { name: "a.jar", content: new Blob(["text"]) }));
    seen.dry = await follow(s.events("script.submit", { name: "n", files: [{ name: "a.sql", text: SCRIPT }], dryRun: true }));
    seen.nobody = await failureOf(follow(new Sluice("http://127.0.0.1:1", { patience: 300 }).events("job.events", { job: "x" })));
    const { session } = await s.call("session.open", { name: "js", config: [{ key: "table.a", value: "b" }] });
    const { operation } = await s.call("session.execute", { session, statement: "SET" });
    seen.rows = [];
    const rows = s.events("result.rows", { session, operation });
    for (let next = await rows.next(); ; next = await rows.next()) {
      if (next.done) {
        seen.rowsEnd = next.value;
        break;
      }
      seen.rows.push(...(next.value.event.rows ?? []));
    }
    seen.page = await s.call("result.page", { session, operation, page: 0 });
    seen.closed = await s.call("session.close", { session });
    const aborted = new AbortController();
    setTimeout(() => aborted.abort(), 200);
    seen.aborted = await failureOf(follow(s.events("job.events", { job: "live" }, { signal: aborted.signal }))).then((f) => f.message);
    return seen;
  },

  async many(s) {
    return { codes: await Promise.all(Array.from({ length: 12 }, () => failureOf(s.call("hello")).then((f) => f.code ?? "ok"))) };
  },

  async stream(s, tell) {
    return follow(s.events("job.events", { job: "live" }), tell);
  },

  async socket(s, tell) {
    const socket = s.connect();
    const numbers = [];
    const onEvent = ({ number }) => {
      numbers.push(number);
      tell?.(number);
    };
    const answer = socket.call("job.events", { job: "live", follow: true }, { onEvent });
    const hello = await again(() => socket.call("hello"));
    const wrong = await failureOf(again(() => socket.call("job.show", { job: "none" })));
    const seen = { numbers, answer: await answer, hello, wrong };
    socket.close();
    seen.closed = (await failureOf(socket.call("hello"))).code;
    const stranger = new Sluice(s.url, { token: "slu_" + "0".repeat(64), WebSocket: s.WebSocket }).connect();
    seen.stranger = (await failureOf(again(() => stranger.call("hello")))).code;
    return seen;
  },

  async parse() {
    const bytes = new TextEncoder().encode("\n: note\nid: 7\r\nevent: event\ndata: a\ndata: ü\n\ndata:b\n\nevent: lost\n");
    const seen = [];
    for await (const e of parseEvents((async function* () {
      for (const b of bytes) {
        yield new Uint8Array([b]);
      }
    })())) {
      seen.push(e);
    }
    return seen;
  },
};

export const run = (url, token, part, tell) => parts[part](new Sluice(url, { token }), tell);

if (globalThis.process?.argv?.[2]) {
  const [url, token, part] = process.argv.slice(2);
  console.log(JSON.stringify(await run(url, token, part, (n) => process.stderr.write(n + "\n"))));
  process.exit(0); // a Node's WebSocket may linger
}
