/** The program of a front process: a server that the primary starts, reloads and stops by messages. */

import { createLog } from '../../log/log.ts';
import { tellForgottenPromises } from '../../observe/forgotten-promises.ts';
import { assumeIdentity } from '../../os/process-user.ts';
import type { Configuration } from '../../site/configuration.ts';
import { type RunningServer, startServer } from '../server.ts';
import { type FromFront, type FrontStart, failureOf, type Question, type ToFront } from './messages.ts';

const ALIVE_EVERY_MS = 1000;
/** Whoever reads the output may be stuck. */
const FLUSH_MS = 5000;

let server: RunningServer | null = null;

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process; what is to be done the primary says.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdout.on('error', ignoreClosed);
process.stderr.on('error', ignoreClosed);
process.on('message', (message: ToFront) => {
  if (message.kind === 'start') void start(message.start);
  else if (message.kind === 'reload') void reload(message.configuration);
  else if (message.kind === 'ask') void answer(message.id, message.question);
  else void stop();
});
setInterval(() => tell({ kind: 'alive', connections: server?.connections ?? 0 }), ALIVE_EVERY_MS).unref();
tell({ kind: 'hello' });

async function start({ configuration, identity, logFormat }: FrontStart): Promise<void> {
  const log = createLog(logFormat, process.stderr);
  tellForgottenPromises(log);
  const onBound = identity === null ? {} : { onBound: () => assumeIdentity(identity) };
  try {
    server = await startServer({ configuration, log, accessLog: process.stdout, ...onBound });
  } catch (error) {
    tell({ kind: 'failed', error: failureOf(error) }, () => leave(1));
    return;
  }
  tell({ kind: 'ready', urls: server.urls });
}

async function reload(configuration: Configuration): Promise<void> {
  try {
    await server?.reload(configuration);
    tell({ kind: 'reloaded', error: null });
  } catch (error) {
    tell({ kind: 'reloaded', error: failureOf(error) });
  }
}

async function answer(id: number, question: Question): Promise<void> {
  const given =
    question.about === 'backends' ? server?.backends() : server?.changeBackend(question.name, question.change);
  tell({ kind: 'answer', id, answer: (await given) ?? [] });
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

function tell(message: FromFront, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, {}, sent);
}

/** Ends this process when everything that was written is out. */
function leave(code: number): void {
  const exit = (): void => process.exit(code);
  setTimeout(exit, FLUSH_MS);
  process.stdout.write('', () => process.stderr.write('', () => setImmediate(exit)));
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
}
