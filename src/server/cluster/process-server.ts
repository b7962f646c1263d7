/** The server in a server process: the primary starts, reloads and stops it by messages. */

import type { LogFilter, LogTap } from '../../log/log-tap.ts';
import { openOutputs } from '../../log/output.ts';
import { reportUncaught } from '../../log/uncaught.ts';
import { dropPrivileges } from '../../os/process-user.ts';
import type { ReloadStep } from '../agreement.ts';
import type { LocalServer } from '../running-server.ts';
import { startServer } from '../server.ts';
import { answerTraceQuestion } from '../trace/trace-questions.ts';
import { FollowSender } from './follow-sender.ts';
import {
  type About,
  type Answers,
  type FromServerProcess,
  failureOf,
  type Question,
  type ServerProcessStart,
  type ToServerProcess,
} from './messages.ts';
import { ShownCluster } from './shown-cluster.ts';

type ReloadMessage = Extract<ToServerProcess, { readonly kind: 'reload' }>;

const ALIVE_EVERY_MS = 1000;
/** The reader of the output may be stuck. */
const FLUSH_MS = 5000;

let server: LocalServer | null = null;
let tap: LogTap | null = null;
let flushLogs: () => Promise<unknown> = async () => {};
/** Those who follow the logs of this process, by their ids. */
const followers = new Map<number, FollowSender>();
/** What the pages of the development show. */
const shown = new ShownCluster((id, question) => send({ kind: 'show', id, question }));
/** Lets the reload go on that waits for the other processes. */
let proceed: () => void = () => {};

// A failure of an output is not an error of the server.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.on('message', (message: ToServerProcess) => {
  if (message.kind === 'start') void start(message.start);
  else if (message.kind === 'reload') void reload(message);
  else if (message.kind === 'proceed') proceed();
  else if (message.kind === 'cancel-reload') server?.cancelReload();
  else if (message.kind === 'ask') void answer(message.id, message.question);
  else if (message.kind === 'follow') follow(message.id, message.filter);
  else if (message.kind === 'unfollow') unfollow(message.id);
  else if (message.kind === 'shown') shown.answered(message.id, message.answer);
  else void stop();
});
setInterval(() => send({ kind: 'alive', connections: server?.connections ?? 0 }), ALIVE_EVERY_MS).unref();
send({ kind: 'hello' });

async function start(options: ServerProcessStart): Promise<void> {
  const { configuration, identity, logFormat, isJournal, isReplacement } = options;
  const onBound = identity === null ? {} : { onBound: () => dropPrivileges(identity) };
  try {
    const outputs = openOutputs(configuration.settings, {
      format: logFormat,
      isJournal,
      owner: identity,
      python: configuration.project?.python.path ?? 'python3',
    });
    const { log, accessLog, reopen } = outputs;
    tap = outputs.tap;
    flushLogs = outputs.flush;
    process.on('SIGUSR1', () => {
      server?.flushLogs();
      reopen();
    });
    reportUncaught(log, () => server?.kill());
    server = await startServer({
      configuration,
      log,
      accessLog,
      tap,
      probesAtStart: !isReplacement,
      shown,
      ...onBound,
    });
  } catch (error) {
    send({ kind: 'failed', error: failureOf(error) }, () => leave(1));
    return;
  }
  send({ kind: 'ready', urls: server.urls });
}

async function reload({ id, configuration, seed }: ReloadMessage): Promise<void> {
  const reached = (step: ReloadStep): Promise<void> =>
    new Promise((resolve) => {
      proceed = resolve;
      send({ kind: 'reached', id, step });
    });
  try {
    await server?.reload(configuration, { seed, reached });
    send({ kind: 'reloaded', id, error: null });
  } catch (error) {
    send({ kind: 'reloaded', id, error: failureOf(error) });
  }
}

async function answer(id: number, question: Question): Promise<void> {
  if (server !== null) send({ kind: 'answer', id, about: question.about, answer: await answerOf(server, question) });
}

function answerOf(serving: LocalServer, question: Question): Answers[About] | Promise<Answers[About]> {
  switch (question.about) {
    case 'backends':
      return serving.backends();
    case 'backend':
      return serving.changeBackend(question.name, question.change);
    case 'drain':
      return serving.drain(question.draining).then(() => true as const);
    case 'scale':
      return serving.scale(question.application, question.workers);
    case 'status':
      return serving.report();
    case 'metrics':
      return serving.metrics();
    case 'requests':
      return serving.requests();
    case 'stacks':
      return serving.stacks(question.worker);
    case 'traces':
      return answerTraceQuestion(serving.traces, question.question);
    case 'log':
      return tap?.recent(question.filter, question.count) ?? [];
  }
}

function follow(id: number, filter: LogFilter): void {
  if (tap !== null)
    followers.set(id, new FollowSender(tap, filter, (lines, sent) => send({ kind: 'followed', id, lines }, sent)));
}

function unfollow(id: number): void {
  followers.get(id)?.stop();
  followers.delete(id);
}

async function stop(): Promise<void> {
  let code = 0;
  try {
    await server?.stop();
  } catch (error) {
    process.stderr.write(`viaduct: ${failureOf(error).message}\n`);
    server?.kill();
    code = 1;
  }
  leave(code);
}

function send(message: FromServerProcess, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, {}, sent);
}

/** Ends this process when all its output is written. */
function leave(code: number): void {
  const exit = (): void => process.exit(code);
  setTimeout(exit, FLUSH_MS);
  void flushLogs().then(() => process.stdout.write('', () => process.stderr.write('', () => setImmediate(exit))));
}
