// SPDX-License-Identifier: Apache-2.0
// node compare.js MODULE NATIVE: asks the WebAssembly module and the native program the same of the same texts and compares the
// answers byte for byte. The texts are the repository's golden files, examples and fuzz corpora, cut texts, and, where
// SLUICE_CORPORA names a folder of labelled statements, those too. Speaks TAP.
"use strict";
const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");

const [modulePath, native] = process.argv.slice(2);
const { exports: wasm } = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(modulePath)), {});

function ask(request) {
  const at = wasm.wasm_alloc(request.text.length);
  new Uint8Array(wasm.memory.buffer, at, request.text.length).set(request.text);
  const out = wasm[`wasm_${request.name}`](at, request.text.length, request.flink);
  const answer = Buffer.from(new Uint8Array(wasm.memory.buffer, out, wasm.wasm_answer_length()));
  wasm.wasm_reset();
  return answer;
}

// All answers of the native program, by one run of it.
function askNative(requests) {
  const parts = [];
  for (const r of requests) {
    parts.push(Buffer.from(`${r.name} ${r.flink} ${r.text.length}\n`), r.text);
  }
  const run = spawnSync(native, [], { input: Buffer.concat(parts), maxBuffer: 1 << 30 });
  if (run.status !== 0) {
    throw new Error(`${native} ended with ${run.status}: ${run.stderr}`);
  }
  const answers = [];
  for (let at = 0; at < run.stdout.length;) {
    const end = run.stdout.indexOf(10, at);
    const n = Number(run.stdout.toString("latin1", at, end));
    answers.push(run.stdout.subarray(end + 1, end + 1 + n));
    at = end + 1 + n;
  }
  return answers;
}

function files(folder, pattern, found = []) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      files(name, pattern, found);
    } else if (pattern.test(entry.name)) {
      found.push(name);
    }
  }
  return found.sort();
}

// The inputs of a golden file: between "=== name" and "---".
function cases(text) {
  return text.split(/^=== .*\n/m).slice(1).map((one) => one.split(/^---$/m)[0]);
}

function texts() {
  const found = [];
  for (const file of files("tests/golden", /\.txt$/)) {
    found.push(...cases(fs.readFileSync(file, "utf8")));
  }
  for (const file of files("examples", /\.sql$/)) {
    found.push(fs.readFileSync(file, "utf8"));
  }
  if (fs.existsSync("tests/fuzz/corpus")) {
    found.push(...files("tests/fuzz/corpus", /./).map((file) => fs.readFileSync(file)));
  }
  const corpora = process.env.SLUICE_CORPORA;
  let labelled = 0;
  if (corpora && fs.existsSync(corpora)) {
    for (const file of files(corpora, /\.jsonl$/)) {
      for (const line of fs.readFileSync(file, "utf8").split("\n")) {
        const sql = line && JSON.parse(line).sql;
        if (typeof sql === "string") {
          found.push(sql);
          labelled++;
        }
      }
    }
  }
  console.log(`# ${found.length} texts, ${labelled} of them labelled statements${corpora ? "" : " (SLUICE_CORPORA is not set: skipped)"}`);
  return found.map((text) => (Buffer.isBuffer(text) ? text : Buffer.from(text)));
}

function main() {
  const requests = [];
  const all = texts();
  const versions = [0, 120, 203];
  all.forEach((text, i) => {
    const flink = versions[i % versions.length];
    for (const name of ["colour", "split", "check"]) {
      requests.push({ name, flink, text });
    }
  });
  // cut and broken texts: the first bytes of some, so that strings, comments and characters stay open
  for (let i = 0; i < all.length; i += 3) {
    const text = all[i].subarray(0, Math.floor((all[i].length * ((i % 7) + 1)) / 9));
    requests.push({ name: "check", flink: 0, text }, { name: "colour", flink: 0, text });
  }
  const started = Date.now();
  const answers = askNative(requests);
  const middle = Date.now();
  const differ = {};
  const counts = {};
  requests.forEach((request, i) => {
    const own = ask(request);
    counts[request.name] = (counts[request.name] || 0) + 1;
    if (!answers[i] || own.compare(answers[i]) !== 0) {
      differ[request.name] = (differ[request.name] || 0) + 1;
      if (differ[request.name] <= 3) {
        console.log(`# ${JSON.stringify({ ...request, text: request.text.toString("utf8").slice(0, 400) })}`);
        console.log(`#   native ${String(answers[i]).slice(0, 400)}\n#   wasm   ${own.toString("utf8").slice(0, 400)}`);
      }
    }
  });
  console.log(`# native ${middle - started} ms, wasm ${Date.now() - middle} ms`);
  const names = Object.keys(counts);
  console.log(`1..${names.length + 1}`);
  let failed = answers.length !== requests.length || requests.length < 1000;
  console.log(`${failed ? "not ok" : "ok"} 1 - ${requests.length} answers of the native program`);
  names.forEach((name, i) => {
    failed = failed || differ[name] > 0;
    console.log(`${differ[name] ? "not ok" : "ok"} ${i + 2} - ${name}: ${counts[name]} answers equal byte for byte${differ[name] ? `, ${differ[name]} not` : ""}`);
  });
  process.exit(failed ? 1 : 0);
}

main();
