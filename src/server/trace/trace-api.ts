import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import type { TraceDocument } from '../../trace/document.ts';
import { exportHtml } from '../../trace/export-html.ts';
import { harOf } from '../../trace/har.ts';
import type { Overview } from '../../trace/overview.ts';
import { VERSION } from '../../version.ts';
import type { LiveRequest } from '../live-requests.ts';
import type { LiveEvents } from './live-events.ts';
import { dataResponse, download, notAllowedHere, problem, SECURITY_FIELDS } from './page-response.ts';
import { readSmallBody } from './small-body.ts';
import { readTraceQuery } from './trace-query.ts';
import type { Traces } from './traces.ts';
import type { UiFiles } from './ui-files.ts';

/** What the API shows. */
export interface TraceApiSource {
  readonly traces: Traces;
  overview(): Promise<Overview>;
  live(): Promise<readonly LiveRequest[]>;
  /** Null without server-sent events. */
  readonly events: LiveEvents | null;
  /** Resolves to null if the pages are not part of this build. */
  ui(): Promise<UiFiles | null>;
}

type Answer = (source: TraceApiSource, request: Request) => Promise<Response>;

const RESOURCES: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['overview', async (source) => dataResponse(200, await source.overview())],
  ['live', async (source) => dataResponse(200, await source.live())],
  ['errors', async ({ traces }) => dataResponse(200, await traces.errors())],
  ['requests', list],
  ['events', async ({ events }) => eventStream(events)],
]);

/** Answers the request for `path`, which has no slash at its start: `requests/ID/har`. docs/admin.md describes the resources. */
export async function traceApi(source: TraceApiSource, request: Request, path: string): Promise<Response> {
  const { method } = request;
  const isRead = method === 'GET' || method === 'HEAD';
  const resource = RESOURCES.get(path);
  if (resource !== undefined) return isRead ? resource(source, request) : notAllowedHere('GET, HEAD');
  const [collection, encoded = '', part = '', ...more] = path.split('/');
  const id = decoded(encoded);
  if (collection !== 'requests' || id === '' || more.length > 0) return problem(404, 'There is no such resource');
  if (part === 'replay') return method === 'POST' ? replay(source, request, id) : notAllowedHere('POST');
  const show = PARTS[part];
  if (show === undefined || !Object.hasOwn(PARTS, part)) return problem(404, 'There is no such resource');
  return isRead ? show(source, id) : notAllowedHere('GET, HEAD');
}

const PARTS: Readonly<Record<string, (source: TraceApiSource, id: string) => Promise<Response>>> = {
  '': async ({ traces }, id) => shown(await traces.find(id), id, (document) => dataResponse(200, document)),
  'last-good': async ({ traces }, id) => {
    const document = await traces.lastGood(id);
    return document === null
      ? problem(404, 'No good request of the same route and method was kept before this one')
      : dataResponse(200, document);
  },
  har: async ({ traces }, id) =>
    shown(await traces.find(id), id, (document) =>
      download(
        'application/json',
        fileName(id, 'har'),
        `${JSON.stringify(harOf(document, VERSION, reasonPhrase), null, 1)}\n`,
      ),
    ),
  export: async ({ traces, ui }, id) => {
    const pages = await ui();
    if (pages === null) return problem(404, 'The pages are not part of this build: run npm run build');
    return shown(await traces.find(id), id, (document) =>
      download('text/html; charset=utf-8', fileName(id, 'html'), exportHtml(document, pages.files)),
    );
  },
};

async function list({ traces }: TraceApiSource, { query }: Request): Promise<Response> {
  const filter = readTraceQuery(new URLSearchParams(query));
  if (typeof filter === 'string') return problem(400, filter);
  const [requests, usage] = await Promise.all([traces.list(filter), traces.usage()]);
  return dataResponse(200, { requests, usage });
}

async function replay({ traces }: TraceApiSource, request: Request, id: string): Promise<Response> {
  const confirmed = await isConfirmed(request);
  if (confirmed === null) return problem(400, 'The content must be JSON such as {"confirm": true}, of at most 1 KiB');
  const outcome = await traces.replay(id, confirmed);
  if (outcome.kind === 'unknown') return notKept(id);
  if (outcome.kind === 'answered') return dataResponse(200, { id: outcome.id, status: outcome.status });
  const { reason, needsConfirmation } = outcome;
  return dataResponse(409, { error: reason, needs_confirmation: needsConfirmation });
}

/** Null if the content is not what it should be. The query can have the confirmation as well, for clients that send no content. */
async function isConfirmed({ body, query }: Request): Promise<boolean | null> {
  const inQuery = new URLSearchParams(query).get('confirm') === 'true';
  const text = await readSmallBody(body);
  if (text === null) return null;
  if (text.trim() === '') return inQuery;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    return inQuery || (value as { readonly confirm?: unknown }).confirm === true;
  } catch {
    return null;
  }
}

async function eventStream(events: LiveEvents | null): Promise<Response> {
  const feed = (await events?.open()) ?? null;
  if (feed === null)
    return problem(503, 'Too many pages are open that show live data: close one of them', ['Retry-After', '10']);
  const fields = ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no'];
  return Response.fromHeaders(200, [...fields, ...SECURITY_FIELDS], feed);
}

function shown(document: TraceDocument | null, id: string, show: (document: TraceDocument) => Response): Response {
  return document === null ? notKept(id) : show(document);
}

function notKept(id: string): Response {
  return problem(404, `There is no trace of the request "${id}": it was not recorded, or newer traces took its place`);
}

/** Ids can come from other servers, with any visible characters. */
function fileName(id: string, ending: string): string {
  return `request-${id.replaceAll(/[^\w.-]/g, '_')}.${ending}`;
}

/** '' for a segment that is not valid. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
