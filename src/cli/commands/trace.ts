import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../../errors.ts';
import { escapeControls } from '../../log/escape.ts';
import type { ServerStatus } from '../../server/status.ts';
import type { TraceDocument } from '../../trace/document.ts';
import type { TraceSummary } from '../../trace/store.ts';
import { resultOf, send, sendForText } from '../control/client.ts';
import { findControl } from '../control/find-server.ts';
import { type ReceivedAnswer, sendRequest, type TypedRequest } from '../control/send-request.ts';
import { readToolWords, type ToolWords, wrongWords } from '../control/tool-words.ts';
import { traceText } from '../control/trace-text.ts';
import { palette } from '../output.ts';
import { widthOf } from '../table.ts';

const FORM =
  "viaduct trace URL [-X METHOD] [-H 'Name: value'] [-d CONTENT] [--json] [--har FILE] [--html FILE] [--profile] [--insecure]";
const OPTIONS = {
  request: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  har: { type: 'string' },
  html: { type: 'string' },
  profile: { type: 'boolean' },
  insecure: { type: 'boolean', short: 'k' },
} as const;

const ANSWER_MS = 15_000;
/** The Python part of a trace comes after the answer: after close() of the application's iterable. */
const TRACE_MS_MAX = 5000;
const LOOK_MS = 50;

/** `viaduct trace`: sends a request that is recorded in full, and prints its way as a tree. Resolves to the exit code. */
export async function trace(words: readonly string[]): Promise<number> {
  const read = readToolWords(words, OPTIONS, FORM);
  const [target, ...others] = read.positionals;
  if (target === undefined || others.length > 0) throw wrongWords('it takes one URL', FORM);
  const socket = await findControl(read.place);
  const typed = await requestOf(read, target, socket);
  const profile = read.values.profile === true;
  const made = resultOf(await send(socket, 'POST', `/traces/token?profile=${profile}`, ANSWER_MS), 'trace', 'WORKER');
  const { field, token } = made as { readonly field: string; readonly token: string };
  const before = new Set((await candidates(socket, typed)).map(({ id }) => id));
  const answer = await sendRequest({ ...typed, fields: [...typed.fields, [field, token]] });
  const document = await recorded(socket, typed, before, answer);
  save(read.values.har, await forFile(socket, read.values.har, document.id, 'har'));
  save(read.values.html, await forFile(socket, read.values.html, document.id, 'export'));
  const options = { colours: palette(process.stdout), width: widthOf(process.stdout) };
  process.stdout.write(
    read.values.json === true ? `${JSON.stringify(document, null, 2)}\n` : traceText(document, options),
  );
  return 0;
}

/** A path alone is asked from the first address of the server. */
async function requestOf({ values }: ToolWords, target: string, socket: string): Promise<TypedRequest> {
  const content = typeof values.data === 'string' ? values.data : null;
  const fields = ((values.header ?? []) as string[]).map((text): [string, string] => {
    const [, name, value = ''] = /^([^:\s]+):[ \t]*(.*)$/s.exec(text) ?? [];
    if (name === undefined) throw wrongWords(`-H "${text}" is not Name: value`, FORM);
    return [name, value];
  });
  const method = typeof values.request === 'string' ? values.request : content === null ? 'GET' : 'POST';
  return { url: await urlOf(target, socket), method, fields, content, insecure: values.insecure === true };
}

async function urlOf(target: string, socket: string): Promise<URL> {
  let base: string | undefined;
  if (target.startsWith('/')) {
    const status = resultOf(await send(socket, 'GET', '/status', ANSWER_MS), 'trace') as ServerStatus;
    base = status.urls.find((url) => /^https?:/.test(url))?.replace('//0.0.0.0', '//127.0.0.1');
  }
  const full = /^[a-z]+:\/\//i.test(target) || target.startsWith('/') ? target : `http://${target}`;
  const url = URL.canParse(full, base) ? new URL(full, base) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new ViaductError('USAGE', `Cannot trace "${target}": it is not a URL with http or https`, {
      advice: `Write ${FORM}.`,
    });
  return url;
}

/** The traces that may be that of the request: of requests that somebody asked to record, with this method and path. */
async function candidates(socket: string, { url, method }: TypedRequest): Promise<readonly TraceSummary[]> {
  const query = new URLSearchParams({ method, path: url.pathname, limit: '100' });
  const reply = await send(socket, 'GET', `/traces/requests?${query}`, ANSWER_MS);
  const { requests } = resultOf(reply, 'find the trace', 'WORKER') as { readonly requests: readonly TraceSummary[] };
  return requests.filter(({ kept, target }) => {
    return (kept === 'asked' || kept === 'development') && target.split('?')[0] === url.pathname;
  });
}

async function recorded(
  socket: string,
  typed: TypedRequest,
  before: ReadonlySet<string>,
  answer: ReceivedAnswer,
): Promise<TraceDocument> {
  const lastMs = performance.now() + TRACE_MS_MAX;
  for (;;) {
    const found = (await candidates(socket, typed)).find(({ id }) => !before.has(id));
    if (found !== undefined) {
      const reply = await send(socket, 'GET', `/traces/requests/${encodeURIComponent(found.id)}`, ANSWER_MS);
      return resultOf(reply, 'read the trace', 'WORKER') as TraceDocument;
    }
    if (performance.now() > lastMs) throw notRecorded(typed, answer);
    await sleep(LOOK_MS);
  }
}

function notRecorded({ url }: TypedRequest, { status, server }: ReceivedAnswer): ViaductError {
  const by = server === '' ? '' : ` by a server that calls itself "${escapeControls(server)}"`;
  return new ViaductError(
    'WORKER',
    `Cannot show the trace: ${url.href} was answered with ${status}${by}, and this server recorded nothing`,
    {
      advice:
        'Another server answers there, or the one in front removes the field Viaduct-Trace. Trace the address of this server: viaduct status shows it.',
    },
  );
}

async function forFile(socket: string, path: unknown, id: string, form: 'har' | 'export'): Promise<string> {
  if (typeof path !== 'string') return '';
  const { status, text } = await sendForText(socket, `/traces/requests/${encodeURIComponent(id)}/${form}`, ANSWER_MS);
  if (status === 200) return text;
  const { error } = JSON.parse(text) as { readonly error: string };
  throw new ViaductError('WORKER', `Cannot write "${path}": ${error}`);
}

function save(path: unknown, text: string): void {
  if (typeof path !== 'string') return;
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new ViaductError('USAGE', `Cannot write "${path}": ${(error as Error).message}`, { cause: error });
  }
  process.stderr.write(`Wrote ${path}\n`);
}
