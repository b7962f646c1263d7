import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { ViaductError } from '../../errors.ts';
import { recentMessage } from '../../log/log-tap.ts';
import type { LogEntry } from '../../log/read-log.ts';
import type { LogFlags } from '../arguments.ts';
import { palette } from '../output.ts';
import { resultOf, send, unreachable } from './client.ts';
import { logText } from './log-text.ts';

/** A server that does not answer in this time hangs. */
const ANSWER_MS = 15_000;

const NOTHING_KEPT =
  'No such line is kept. viaduct logs --follow prints lines as they come; access_log_file keeps those of requests.\n';

/** Prints the last lines of the logs, and with `follow` those that come, until the server ends or the reader is gone. Resolves to the exit code. */
export async function logs(socket: string, flags: LogFlags, isJson: boolean): Promise<number> {
  const colours = palette(process.stdout);
  const show = (entry: LogEntry): string => (isJson ? `${JSON.stringify(entry)}\n` : logText(entry, colours));
  const query = new URLSearchParams({
    errors: `${flags.errors}`,
    request: flags.request ?? '',
    route: flags.route ?? '',
    status: flags.status ?? '',
    path: flags.path ?? '',
    min_ms: flags['min-ms'] ?? '',
  });
  const following = flags.follow ? await follow(socket, query) : null;
  const reply = await send(
    socket,
    'GET',
    `/logs?${query}&lines=${flags.lines ?? ''}`.replace(/&lines=$/, ''),
    ANSWER_MS,
  );
  const recent = resultOf(reply, 'print the logs') as readonly LogEntry[];
  process.stdout.write(recent.map(show).join(''));
  if (following === null) {
    if (recent.length === 0 && flags.lines !== '0' && !isJson) process.stderr.write(NOTHING_KEPT);
    return 0;
  }
  process.stdout.once('error', () => following.destroy());
  const seen = new Set(recent.map(keyOf)); // they may have come in between
  try {
    for await (const line of createInterface({ input: following, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!process.stdout.writable) break;
      const entry = JSON.parse(line) as LogEntry;
      if (!seen.delete(keyOf(entry)) && !process.stdout.write(show(entry))) await drained();
    }
  } catch (error) {
    if (!following.destroyed) throw error; // the server was killed in the middle of a line
  }
  if (process.stdout.writable) process.stderr.write('The server has ended.\n');
  return 0;
}

/** The same for an entry as it comes and as one of the last entries, wherever these are kept. */
function keyOf(entry: LogEntry): string {
  const { message } = entry;
  return JSON.stringify(typeof message === 'string' ? { ...entry, message: recentMessage(message) } : entry);
}

/** Resolves when standard output takes more, or nobody reads it any more. */
async function drained(): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(process.stdout, 'drain', { signal }), once(process.stdout, 'close', { signal })]).catch(
    () => {},
  );
  over.abort();
}

/**
 * The lines from now on, as a stream.
 *
 * @throws ViaductError `LISTEN` with the reason
 */
async function follow(socketPath: string, query: URLSearchParams): Promise<IncomingMessage> {
  const message = request({ socketPath, path: `/logs/follow?${query}`, headers: { host: 'localhost' }, agent: false });
  message.end();
  const [response] = (await once(message, 'response').catch((error: Error) => {
    throw unreachable(socketPath, error.message);
  })) as [IncomingMessage];
  response.on('error', () => {}); // the server was killed
  if (response.statusCode !== 200) throw new ViaductError('WORKER', 'Cannot follow the logs: the server refuses');
  return response;
}
