// SPDX-License-Identifier: Apache-2.0
// What the types allow and what they do not; only looked at by the compiler.
import { Sluice, SluiceError } from "./client/sluice.mjs";

export async function use(s: Sluice): Promise<number> {
  const jobs = await s.call("job.list", { all: true });
  const state: "ok" | "degraded" | "down" | "unknown" = jobs.jobs[0]!.health;
  const check = await s.call("script.check", { text: "SELECT 1", level: "full", lint: null });
  const line: number | undefined = check.diagnostics[0]?.second?.line;
  for await (const { number, event } of s.events("job.events", { job: "a", since: 3 })) {
    const kind: string = event.event;
    console.log(number?.toFixed(), kind, state, line);
  }
  const socket = s.connect();
  const done = await socket.call("script.submit", { name: "n", files: [{ name: "a", text: "b" }] }, { onEvent: (e) => e.number });
  const bytes: ArrayBuffer = await s.call("artifact.read", { digest: (await s.call("artifact.add", { name: "a.jar", content: new Blob([]) })).digest });
  // @ts-expect-error: nothing is brought
  await s.call("artifact.add", { name: "a.jar" });
  console.log(bytes.byteLength);
  // @ts-expect-error: no such call
  await s.call("job.fly");
  // @ts-expect-error: the text is missing
  await s.call("script.check", {});
  // @ts-expect-error: no such level
  await s.call("script.check", { text: "", level: "deep" });
  // @ts-expect-error: has no events
  s.events("job.list");
  // @ts-expect-error: no member of the answer
  jobs.none;
  if (done instanceof SluiceError) {
    return done.status;
  }
  return done.exit;
}
