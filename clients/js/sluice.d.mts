// SPDX-License-Identifier: Apache-2.0
import type { Operations, Problem, StreamEvent } from "./api.mjs";

export * from "./api.mjs";

export type Name = keyof Operations;
/** The calls that have events. */
export type Streamed = { [O in Name]: Operations[O]["events"] extends true ? O : never }[Name];
export interface Numbered {
  /** What it can be gone on behind; rows have none. */
  number: number | undefined;
  event: StreamEvent;
}

export class SluiceError extends Error {
  /** A slug of docs/errors, or "connection". */
  code: string;
  /** Of HTTP; 0 without an answer. */
  status: number;
  hint: string;
  problem: Partial<Problem>;
}

export interface Options {
  token?: string;
  /** For how many ms in a row a connection is sought again (default 30,000). */
  patience?: number;
  fetch?: typeof fetch;
  WebSocket?: new (url: string, protocol: string) => unknown;
}

export class Sluice {
  constructor(url: string, options?: Options);
  call<O extends Name>(name: O, params?: Operations[O]["params"], options?: { signal?: AbortSignal }): Promise<Operations[O]["answer"]>;
  events<O extends Streamed>(
    name: O,
    params?: Operations[O]["params"],
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<Numbered, Omit<Operations[O]["answer"], "events">, void>;
  connect(): SluiceSocket;
}

export class SluiceSocket {
  call<O extends Name>(
    name: O,
    params?: Operations[O]["params"],
    options?: { onEvent?: (e: Numbered) => void; signal?: AbortSignal },
  ): Promise<Omit<Operations[O]["answer"], "events">>;
  close(): void;
}

export function parseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ event: string; id: string | undefined; data: string }>;
