// SPDX-License-Identifier: Apache-2.0
// Made by generate.mjs from openapi.json; not written by hand.

export interface TextRange {
  /** in bytes */
  offset: number;
  /** in bytes */
  length: number;
  /** from 1 */
  line: number;
  /** from 1, in UTF-16 units */
  column: number;
  endLine: number;
  /** behind its last */
  endColumn: number;
}

export interface SecondPlace {
  offset: number;
  length: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  label: string;
}

export interface Diagnostic {
  /** docs/errors tells what it means */
  code: string;
  severity: "error" | "warning" | "info";
  message: string;
  hint: string;
  /** what Flink would say */
  flink?: string;
  /** from 1; 0: of none */
  statement: number;
  file?: string;
  offset?: number;
  length?: number;
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
  second?: SecondPlace;
}

export interface Statement {
  /** from 1 */
  index: number;
  kind: string;
  offset: number;
  length: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  text: string;
  /** it ends with a semicolon */
  terminated: boolean;
}

export interface CompletionItem {
  label: string;
  kind: string;
  insertText: string;
  detail?: string;
  documentation?: string;
  sortText: string;
}

export interface Completion {
  /** what an item replaces */
  range: TextRange;
  /** there are more than these */
  incomplete: boolean;
  items: CompletionItem[];
}

export interface CheckAnswer {
  ok: boolean;
  flink: string;
  statements: number;
  errors: number;
  warnings: number;
  diagnostics: Diagnostic[];
}

export interface SplitAnswer {
  statements: Statement[];
  diagnostics: Diagnostic[];
}

export interface FormatAnswer {
  text: string;
  changed: boolean;
  /** statements left as they were, for they are not understood */
  kept: number;
  diagnostics: Diagnostic[];
}

export interface CompleteAnswer {
  completion: Completion;
}

export interface GivenFile {
  name: string;
  text: string;
}

export interface GivenVariable {
  name: string;
  value: string;
  source?: string | null;
  secret?: boolean | null;
}

export interface GivenSetting {
  key: string;
  value: string;
  origin?: string | null;
}

export interface StreamEvent {
  /** its kind: docs/events.md has them */
  event: string;
  [more: string]: unknown;
}

export interface WarmFlink {
  flink: string;
  /** how long it stays without work */
  ms: number;
}

export interface SubmitAnswer {
  events: StreamEvent[];
  /** 0: all went well; else the exit code of sluice run */
  exit: number;
  /** the local Flink that was left running */
  warm?: WarmFlink;
}

export interface AcceptedAnswer {
  key: string;
  location: string;
}

export interface RunError {
  code: string;
  message: string;
  hint: string;
  place: string;
}

export interface Cause {
  code: string;
  message: string;
  hint: string;
  place: string;
  statement: string;
  /** the one it failed on, where that is known */
  record: string;
  /** what Flink says of it */
  java: string;
  causes: number;
  at?: string;
  stack: string;
}

export interface Restorable {
  kind: "checkpoint" | "savepoint";
  number: number;
  version: number;
  path: string;
  at?: string;
  ageMs: number;
}

export interface Run {
  run: string;
  job: string;
  version: number;
  statement: number;
  kind: string;
  mode: "session" | "application";
  target: string;
  wanted: string;
  state: string;
  flinkState: string;
  sight: string;
  health: "ok" | "degraded" | "down" | "unknown";
  /** of a health that is not ok */
  why?: string;
  reasons: string[];
  healthAgeMs: number;
  healthSince?: string;
  /** since its cluster last answered */
  silentMs?: number;
  restarts: number;
  restartsRecent: number;
  restartingSince?: string;
  restartsDay: number;
  ended: boolean;
  flinkJob: string;
  flink: string;
  rest: string;
  tasks: number;
  tasksRunning: number;
  /** a number of 64 bits */
  recordsIn: string;
  /** a number of 64 bits */
  recordsOut: string;
  /** some of its tasks do not count */
  recordsInAtLeast: boolean;
  /** some of its tasks do not count */
  recordsOutAtLeast: boolean;
  recordsInPerSecond: number;
  recordsOutPerSecond: number;
  lagRecords?: number;
  watermark?: string;
  watermarkBehindMs?: number;
  /** of its time, by back-pressure */
  heldBackPermille: number;
  checkpointAgeMs?: number;
  checkpointTookMs?: number;
  checkpointBytes?: number;
  checkpointIntervalMs?: number;
  checkpointsCompleted: number;
  checkpointsFailed: number;
  checkpointsNotRecorded: number;
  lastCheckpoint: number;
  lastCheckpointAt?: string;
  restoredFrom?: string;
  created?: string;
  started?: string;
  endedAt?: string;
  /** when its cluster last told of it */
  seen?: string;
  ageMs: number;
  error?: RunError;
  owner?: string;
  /** of the version's bundle */
  digest?: string;
  versionAt?: string;
  versionAgeMs?: number;
}

export interface JobsAnswer {
  jobs: Run[];
  /** there are more: the next call's `after` */
  next?: string;
}

export interface JobAnswer {
  run: string;
  job: string;
  version: number;
  statement: number;
  kind: string;
  mode: "session" | "application";
  target: string;
  wanted: string;
  state: string;
  flinkState: string;
  sight: string;
  health: "ok" | "degraded" | "down" | "unknown";
  /** of a health that is not ok */
  why?: string;
  reasons: string[];
  healthAgeMs: number;
  healthSince?: string;
  /** since its cluster last answered */
  silentMs?: number;
  restarts: number;
  restartsRecent: number;
  restartingSince?: string;
  restartsDay: number;
  ended: boolean;
  flinkJob: string;
  flink: string;
  rest: string;
  tasks: number;
  tasksRunning: number;
  /** a number of 64 bits */
  recordsIn: string;
  /** a number of 64 bits */
  recordsOut: string;
  /** some of its tasks do not count */
  recordsInAtLeast: boolean;
  /** some of its tasks do not count */
  recordsOutAtLeast: boolean;
  recordsInPerSecond: number;
  recordsOutPerSecond: number;
  lagRecords?: number;
  watermark?: string;
  watermarkBehindMs?: number;
  /** of its time, by back-pressure */
  heldBackPermille: number;
  checkpointAgeMs?: number;
  checkpointTookMs?: number;
  checkpointBytes?: number;
  checkpointIntervalMs?: number;
  checkpointsCompleted: number;
  checkpointsFailed: number;
  checkpointsNotRecorded: number;
  lastCheckpoint: number;
  lastCheckpointAt?: string;
  restoredFrom?: string;
  created?: string;
  started?: string;
  endedAt?: string;
  /** when its cluster last told of it */
  seen?: string;
  ageMs: number;
  error?: RunError;
  owner?: string;
  /** of the version's bundle */
  digest?: string;
  versionAt?: string;
  versionAgeMs?: number;
  cause?: Cause;
  /** its last change of state, and by what that is known */
  evidence?: Record<string, unknown>;
  stateSince?: string;
  restoreTo?: Restorable[];
}

export interface ForgottenAnswer {
  versions: number;
  runs: number;
  snapshots: number;
}

export interface Snapshot {
  run: string;
  version: number;
  statement: number;
  kind: "checkpoint" | "savepoint";
  number?: number;
  state: "pending" | "completed" | "failed" | "gone";
  restorable: boolean;
  path: string;
  bytes: number;
  /** how long it took */
  ms: number;
  at?: string;
  reason?: string;
}

export interface SavepointsAnswer {
  savepoints: Snapshot[];
}

export interface CancelAnswer {
  /** ids of runs */
  ended: string[];
}

export interface Replacement {
  oldVersion: number;
  state: string;
  reason: string;
  at?: string;
  endedAt?: string;
}

export interface Version {
  version: number;
  digest: string;
  by: string;
  why: string;
  at?: string;
}

export interface PastRun {
  run: string;
  version: number;
  statement: number;
  target: string;
  state: string;
  ended: boolean;
  created?: string;
  endedAt?: string;
  restoredFrom: string;
  error?: string;
}

export interface HistoryAnswer {
  job: string;
  replacements: Replacement[];
  versions: Version[];
  runs: PastRun[];
  snapshots: Snapshot[];
}

export interface LogsAnswer {
  text: string;
}

export interface EventsAnswer {
  events: StreamEvent[];
  run: string;
  /** the next call's `since` */
  next: number;
  /** there will be no more */
  ended: boolean;
}

export interface Target {
  name: string;
  kind: "local" | "session";
  url: string;
  ca?: string;
  cert?: string;
  /** the file it is in */
  key?: string;
  /** names only */
  headers?: string;
  /** without the password */
  user?: string;
  proxy?: string;
  resultsAddress?: string;
  default: boolean;
}

export interface TargetsAnswer {
  targets: Target[];
}

export interface NamedAnswer {
  name: string;
}

export interface Finding {
  finding: "rest" | "flink" | "slots" | "submit" | "runner" | "results" | "connect";
  ok: boolean;
  text: string;
}

export interface FindingsAnswer {
  name: string;
  findings: Finding[];
  ok: boolean;
}

export interface Artifact {
  /** SHA-256 */
  digest: string;
  name: string;
  bytes: number;
  /** whose it was first; empty: of the server's machine */
  owner: string;
  /** since when */
  kept: string;
  /** of jobs, that need it */
  versions: number;
  /** it stays until it is removed; else it goes with its versions */
  brought: boolean;
}

export interface ArtifactsAnswer {
  artifacts: Artifact[];
}

export interface ArtifactAnswer {
  /** SHA-256 */
  digest: string;
  name: string;
  bytes: number;
  /** whose it was first; empty: of the server's machine */
  owner: string;
  /** since when */
  kept: string;
  /** of jobs, that need it */
  versions: number;
  /** it stays until it is removed; else it goes with its versions */
  brought: boolean;
}

export interface RemovedAnswer {
  removed: string;
}

export interface Session {
  session: string;
  name: string;
  user: string;
  /** empty: the default */
  target: string;
  flink: string;
  catalog: string;
  /** empty: the catalog's own */
  database: string;
  created: string;
  idleMs: number;
  operationsKept: number;
  /** waiting or running */
  operationsOpen: number;
}

export interface Operation {
  operation: string;
  /** of a SELECT FINISHED says that its rows come */
  state: "PENDING" | "RUNNING" | "FINISHED" | "CANCELED" | "CLOSED" | "ERROR" | "TIMEOUT";
  flinkJob?: string;
}

export interface SessionsAnswer {
  sessions: Session[];
}

export interface SessionAnswer {
  session: string;
  name: string;
  user: string;
  /** empty: the default */
  target: string;
  flink: string;
  catalog: string;
  /** empty: the catalog's own */
  database: string;
  created: string;
  idleMs: number;
  operationsKept: number;
  /** waiting or running */
  operationsOpen: number;
  config: GivenSetting[];
  jars: string[];
  operations: Operation[];
}

export interface OpenedAnswer {
  session: string;
}

export interface ClosedAnswer {
  closed: string;
}

export interface ExecutedAnswer {
  session: string;
  operation: string;
}

export interface CandidatesAnswer {
  candidates: string[];
}

export interface OperationAnswer {
  operation: string;
  /** of a SELECT FINISHED says that its rows come */
  state: "PENDING" | "RUNNING" | "FINISHED" | "CANCELED" | "CLOSED" | "ERROR" | "TIMEOUT";
  flinkJob?: string;
}

export interface Column {
  name: string;
  /** as Flink prints it */
  type: string;
}

export interface PageAnswer {
  operation: string;
  /** waiting: nothing is there yet */
  kind: "waiting" | "rows" | "end";
  /** page to ask for next; not with end */
  next?: number;
  query?: boolean;
  flinkJob?: string;
  columns?: Column[];
  /** [kind, value, ...]: docs/events.md has the values */
  rows?: [];
  count?: number;
}

export interface RowsAnswer {
  events: StreamEvent[];
  operation: string;
  /** of a SELECT FINISHED says that its rows come */
  state: "PENDING" | "RUNNING" | "FINISHED" | "CANCELED" | "CLOSED" | "ERROR" | "TIMEOUT";
  flinkJob?: string;
  /** the next call's `since` */
  next: number;
  /** there are no more */
  ended: boolean;
}

export interface Token {
  id: string;
  name: string;
  role: "viewer" | "analyst" | "operator" | "admin";
  made?: string;
  expires?: string;
  revoked?: string;
}

export interface TokensAnswer {
  tokens: Token[];
}

export interface NewToken {
  id: string;
  name: string;
  role: "viewer" | "analyst" | "operator" | "admin";
  made?: string;
  expires?: string;
  revoked?: string;
  /** told this once */
  token: string;
}

export interface RevokedAnswer {
  revoked: string;
}

export interface Code {
  /** docs/errors tells what it means */
  code: string;
  /** of HTTP */
  status: number;
  sqlState: string;
  /** of the command line */
  exit: number;
}

export interface CodesAnswer {
  codes: Code[];
}

export interface Limit {
  /** the setting */
  limit: string;
  unit: "bytes" | "count" | "ms";
  /** a number of 64 bits */
  value: string;
  of: string;
}

export interface LimitsAnswer {
  limits: Limit[];
}

export interface HelloAnswer {
  version: string;
  build: string;
  pid: number;
  data: string;
  activeRuns: number;
  resultsPort: number;
  /** version of /api/ and /ws */
  api: number;
  /** newest version of Flink's protocol that is told of */
  flinkProtocol: number;
  /** of who asks */
  role: string;
  messageBytes: number;
  bodyBytes: number;
  cellBytes: number;
  rowBytes: number;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  /** docs/errors tells what it means */
  code: string;
  /** what may be done */
  hint?: string;
  /** what lies under it: a Java trace */
  detail?: string;
  offset?: number;
  length?: number;
  line?: number;
  column?: number;
}

/** The calls: what they take and what they answer. */
export interface Operations {
  /** everything that is wrong with a script (analyst) */
  "script.check": {
    params: {
      /** the script */
      text: string;
      /** its name in diagnostics */
      name?: string | null;
      /** Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3 */
      flink?: string | null;
      /** syntax, script or full (default) */
      level?: "syntax" | "script" | "full" | null;
      /** also what Flink takes and people do not mean */
      lint?: boolean | null;
    };
    answer: CheckAnswer;
    events: false;
  };
  /** the statements of a script (analyst) */
  "script.split": {
    params: {
      /** the script */
      text: string;
      /** its name in diagnostics */
      name?: string | null;
      /** Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3 */
      flink?: string | null;
    };
    answer: SplitAnswer;
    events: false;
  };
  /** a script laid out (analyst) */
  "script.format": {
    params: {
      /** the script */
      text: string;
      /** Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3 */
      flink?: string | null;
      /** columns of a line (default 100) */
      width?: number | null;
    };
    answer: FormatAnswer;
    events: false;
  };
  /** what could stand at a place of a script (analyst) */
  "script.complete": {
    params: {
      /** the script */
      text: string;
      /** bytes in front of the caret */
      offset: number;
      /** Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3 */
      flink?: string | null;
      /** at most that many (default 200) */
      limit?: number | null;
    };
    answer: CompleteAnswer;
    events: false;
  };
  /** run a script; events as it goes (analyst) */
  "script.submit": {
    params: {
      /** how long to wait for the end; then 202 says where to ask (default: until the end). A SELECT ends then */
      waitMs?: number;
      /** [{"name","text"}]: init files first, the script last */
      files: GivenFile[];
      /** name of the job */
      name: string;
      /** session (default) or application */
      mode?: "session" | "application" | null;
      /** Flink version, with or without its patch number */
      flink?: string | null;
      /** where to (default local) */
      target?: string | null;
      /** [{"name","value","source","secret"}] */
      vars?: GivenVariable[] | null;
      /** [{"key","value","origin"}] */
      config?: GivenSetting[] | null;
      /** jars it needs: SHA-256s of artifacts that were brought */
      artifacts?: string[] | null;
      /** idempotency key; the header Idempotency-Key gives it too */
      key?: string | null;
      /** answer when its jobs run */
      detach?: boolean | null;
      /** merge loose INSERTs into one job */
      together?: boolean | null;
      /** stop before anything is sent */
      dryRun?: boolean | null;
      /** end a SELECT after that many rows */
      maxRows?: number | null;
      /** end a SELECT after that time */
      maxDurationMs?: number | null;
      /** end the whole after that time */
      timeoutMs?: number | null;
      /** latest, none, or the path of a snapshot: where its state comes from */
      from?: string | null;
      /** state that has no place any more may be dropped */
      allowNonRestoredState?: boolean | null;
      /** stop what runs under this name with a savepoint and go on from it */
      replace?: boolean | null;
      /** wait for it to run well before the old one comes back */
      wellMs?: number | null;
      /** sent again with its key: goes on with what is under way */
      resumed?: boolean | null;
      /** sent again with its key: goes on behind the event of this number; the header Last-Event-ID gives it too */
      since?: number | null;
      /** where Flink's tasks reach the results port */
      resultsAddress?: string | null;
      /** of rows: api (default) or text */
      form?: "api" | "text" | null;
    };
    answer: SubmitAnswer;
    events: true;
  };
  /** a submission by its key: its events, and its end (analyst) */
  "submission.show": {
    params: {
      /** idempotency key of a submission */
      key: string;
      /** only events behind this number (the header Last-Event-ID gives it too) */
      since?: number;
      /** until it has ended (default: as a stream true, else false) */
      follow?: boolean;
      /** how long to wait for its end before 202 says that it goes on */
      waitMs?: number;
    };
    answer: SubmitAnswer;
    events: true;
  };
  /** jobs and their runs (viewer) */
  "job.list": {
    params: {
      /** only what has not ended */
      active?: boolean;
      /** also older runs, and SELECTs */
      all?: boolean;
      /** at most that many (default and most: 1000) */
      limit?: number;
      /** those behind the place that `next` of an answer named */
      after?: string;
    };
    answer: JobsAnswer;
    events: false;
  };
  /** one job in full (viewer) */
  "job.show": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
    };
    answer: JobAnswer;
    events: false;
  };
  /** forget a job that has ended (operator) */
  "job.rm": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
    };
    answer: ForgottenAnswer;
    events: false;
  };
  /** end a job with a savepoint (operator) */
  "job.stop": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** folder of the savepoint (default: of the data folder) */
      savepointDir?: string | null;
      /** let sources end and windows fire first */
      drain?: boolean | null;
    };
    answer: SavepointsAnswer;
    events: false;
  };
  /** take a savepoint of a running job (operator) */
  "job.savepoint": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** folder of the savepoint (default: of the data folder) */
      savepointDir?: string | null;
    };
    answer: SavepointsAnswer;
    events: false;
  };
  /** end a job (operator) */
  "job.cancel": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** also when state would be lost */
      yes?: boolean | null;
    };
    answer: CancelAnswer;
    events: false;
  };
  /** replace a job by an older version of it; events as it goes (operator) */
  "job.rollback": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** which (default: the one before) */
      version?: number | null;
      /** values of its secrets, which are not kept: [{"name","value"}] */
      vars?: GivenVariable[] | null;
      /** idempotency key; the header Idempotency-Key gives it too */
      key?: string | null;
      /** state that has no place any more may be dropped */
      allowNonRestoredState?: boolean | null;
      /** wait for it to run well before the old one comes back */
      wellMs?: number | null;
    };
    answer: SubmitAnswer;
    events: true;
  };
  /** versions, runs and snapshots of a job (viewer) */
  "job.history": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** at most that many versions (default 50) */
      limit?: number;
    };
    answer: HistoryAnswer;
    events: false;
  };
  /** log lines of a job's cluster (viewer) */
  "job.logs": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** jobmanager (default), taskmanager, the id of one, or errors */
      which?: string;
      /** that many last lines (default 200) */
      tail?: number;
      /** only of the last that many milliseconds */
      sinceMs?: number;
      /** of the life before the last restart */
      previous?: boolean;
    };
    answer: LogsAnswer;
    events: false;
  };
  /** what became of a run, by number; as it goes on (viewer) */
  "job.events": {
    params: {
      /** name of a job, id of a run, or at least 6 digits of one */
      job: string;
      /** only those behind this number (default 0; the header Last-Event-ID gives it too) */
      since?: number;
      /** until the run has ended (default: as a stream true, else false) */
      follow?: boolean;
      /** without follow: how long to wait for a first one */
      waitMs?: number;
    };
    answer: EventsAnswer;
    events: true;
  };
  /** targets, secrets masked (viewer) */
  "target.list": {
    params: {
    };
    answer: TargetsAnswer;
    events: false;
  };
  /** keep a foreign session cluster by its address (admin) */
  "target.add": {
    params: {
      /** what it is to be called */
      name: string;
      /** address of its REST interface */
      url: string;
      /** file of the authority of its certificate, on the server's machine */
      ca?: string | null;
      /** file of our certificate */
      cert?: string | null;
      /** file of its key */
      key?: string | null;
      /** header lines sent with each request */
      headers?: string | null;
      /** name:password for basic authorization */
      user?: string | null;
      /** proxy on the way there */
      proxy?: string | null;
      /** where its TaskManagers reach the results port */
      resultsAddress?: string | null;
    };
    answer: NamedAnswer;
    events: false;
  };
  /** one target in full, secrets masked (viewer) */
  "target.show": {
    params: {
      /** name of a target */
      name: string;
    };
    answer: TargetsAnswer;
    events: false;
  };
  /** forget a target (admin) */
  "target.remove": {
    params: {
      /** name of a target */
      name: string;
    };
    answer: NamedAnswer;
    events: false;
  };
  /** make a target the default (admin) */
  "target.use": {
    params: {
      /** name of a target */
      name: string;
    };
    answer: NamedAnswer;
    events: false;
  };
  /** ask a target what it is and what its TaskManagers reach (operator) */
  "target.test": {
    params: {
      /** name of a target */
      name: string;
      /** Flink version that scripts are for */
      flink?: string | null;
      /** where its TaskManagers reach the results port */
      resultsAddress?: string | null;
      /** HOST:PORTs that its TaskManagers try */
      connect?: string[] | null;
    };
    answer: FindingsAnswer;
    events: false;
  };
  /** artifacts: jars of versions, and those that were brought (viewer) */
  "artifact.list": {
    params: {
    };
    answer: ArtifactsAnswer;
    events: false;
  };
  /** bring an artifact; it is kept by its SHA-256 (operator) */
  "artifact.add": {
    params: {
      /** name of the file */
      name: string;
      /** its SHA-256, 64 hex digits: what came must have it */
      digest?: string;
      /** what is brought, as the body of fetch() takes it */
      content: Blob | ArrayBuffer | ArrayBufferView;
    };
    answer: ArtifactAnswer;
    events: false;
  };
  /** one artifact (viewer) */
  "artifact.show": {
    params: {
      /** SHA-256 of an artifact, 64 hex digits */
      digest: string;
    };
    answer: ArtifactAnswer;
    events: false;
  };
  /** forget an artifact that no version needs (operator) */
  "artifact.remove": {
    params: {
      /** SHA-256 of an artifact, 64 hex digits */
      digest: string;
    };
    answer: RemovedAnswer;
    events: false;
  };
  /** the bytes of an artifact (operator) */
  "artifact.read": {
    params: {
      /** SHA-256 of an artifact, 64 hex digits */
      digest: string;
    };
    answer: ArrayBuffer;
    events: false;
  };
  /** sessions (analyst) */
  "session.list": {
    params: {
    };
    answer: SessionsAnswer;
    events: false;
  };
  /** a new session (analyst) */
  "session.open": {
    params: {
      /** for people */
      name?: string | null;
      /** where its statements go (default: the default target) */
      target?: string | null;
      /** Flink version: 1.20, 2.0, 2.1, 2.2 or 2.3 */
      flink?: string | null;
      /** [{"key","value"}], as SET would */
      config?: GivenSetting[] | null;
    };
    answer: OpenedAnswer;
    events: false;
  };
  /** one session: its place, settings and operations (analyst) */
  "session.show": {
    params: {
      /** id of a session */
      session: string;
    };
    answer: SessionAnswer;
    events: false;
  };
  /** end a session and its SELECTs (analyst) */
  "session.close": {
    params: {
      /** id of a session */
      session: string;
    };
    answer: ClosedAnswer;
    events: false;
  };
  /** a session is still in use (analyst) */
  "session.heartbeat": {
    params: {
      /** id of a session */
      session: string;
    };
    answer: OpenedAnswer;
    events: false;
  };
  /** what could stand at a place of a statement (analyst) */
  "session.complete": {
    params: {
      /** id of a session */
      session: string;
      /** a statement as far as it is written */
      statement: string;
      /** bytes in front of the caret */
      offset: number;
    };
    answer: CandidatesAnswer;
    events: false;
  };
  /** queue a statement of a session (analyst) */
  "session.execute": {
    params: {
      /** id of a session */
      session: string;
      /** one statement */
      statement: string;
      /** [{"key","value"}] for it alone */
      config?: GivenSetting[] | null;
      /** when it is given up, from its beginning; of a SELECT also while rows come (default: never) */
      timeoutMs?: number | null;
    };
    answer: ExecutedAnswer;
    events: false;
  };
  /** how far a statement is (analyst) */
  "operation.show": {
    params: {
      /** id of a session */
      session: string;
      /** id of a statement of it */
      operation: string;
    };
    answer: OperationAnswer;
    events: false;
  };
  /** forget a statement; ends its SELECT (analyst) */
  "operation.close": {
    params: {
      /** id of a session */
      session: string;
      /** id of a statement of it */
      operation: string;
    };
    answer: ClosedAnswer;
    events: false;
  };
  /** give a statement up (analyst) */
  "operation.cancel": {
    params: {
      /** id of a session */
      session: string;
      /** id of a statement of it */
      operation: string;
    };
    answer: OperationAnswer;
    events: false;
  };
  /** a page of a statement's answer, as often as it is asked for (analyst) */
  "result.page": {
    params: {
      /** id of a session */
      session: string;
      /** id of a statement of it */
      operation: string;
      /** number of a page, from 0; a number given before gives the same rows */
      page: number;
    };
    answer: PageAnswer;
    events: false;
  };
  /** the rows of a statement's answer, as they come (analyst) */
  "result.rows": {
    params: {
      /** id of a session */
      session: string;
      /** id of a statement of it */
      operation: string;
      /** only rows behind the event of this number (default 0; the header Last-Event-ID gives it too) */
      since?: number;
      /** until there are no more (default: as a stream true, else false) */
      follow?: boolean;
    };
    answer: RowsAnswer;
    events: true;
  };
  /** tokens, without their secrets (admin) */
  "token.list": {
    params: {
    };
    answer: TokensAnswer;
    events: false;
  };
  /** make a token; its secret is told this once (admin) */
  "token.make": {
    params: {
      /** whose it is */
      name: string;
      /** viewer, analyst, operator or admin */
      role: "viewer" | "analyst" | "operator" | "admin";
      /** how long it is good for (default: no end) */
      ttlMs?: number | null;
    };
    answer: NewToken;
    events: false;
  };
  /** end a token (admin) */
  "token.revoke": {
    params: {
      /** id or name of a token */
      token: string;
    };
    answer: RevokedAnswer;
    events: false;
  };
  /** every code of an error (viewer) */
  "codes": {
    params: {
    };
    answer: CodesAnswer;
    events: false;
  };
  /** every limit that is in force (viewer) */
  "limits": {
    params: {
    };
    answer: LimitsAnswer;
    events: false;
  };
  /** who owns this data folder (viewer) */
  "hello": {
    params: {
    };
    answer: HelloAnswer;
    events: false;
  };
}

export const operations: { [O in keyof Operations]: { method: string; path: string; query: string[]; events: boolean; takes: string[]; brings: boolean; gives: boolean } };
