import type { Span, SpanKind, Times } from '../../src/trace/document.ts';

/** Whose time it is. Each has a colour on all pages. */
export type Owner = 'queue' | 'python' | 'backend' | 'client' | 'own';

export interface Part {
  readonly owner: Owner;
  readonly label: string;
  readonly us: number;
  /** Of the whole; 0 if nothing took time. */
  readonly share: number;
  readonly help: string;
}

const PARTS: readonly (readonly [Owner, keyof Times, label: string, help: string])[] = [
  ['client', 'clientUs', 'Client', 'Waiting for the client: its request on the way in, its reading on the way out.'],
  ['queue', 'queueUs', 'Queue', 'Waiting for a free worker, because all of them had other requests.'],
  ['python', 'pythonUs', 'Python', 'Your application and what it uses: middleware, view, templates, queries.'],
  ['backend', 'backendUs', 'Backend', 'Another server had the request.'],
  ['own', 'ownUs', 'Viaduct', 'Parsing, routing, handlers and the way to the worker and back: this server itself.'],
];

/** Where the time went, in the order in which it passes. */
export function partsOf(times: Times): readonly Part[] {
  const total = PARTS.reduce((sum, [, key]) => sum + times[key], 0);
  return PARTS.map(([owner, key, label, help]) => ({
    owner,
    label,
    us: times[key],
    share: total === 0 ? 0 : times[key] / total,
    help,
  }));
}

const OWNERS: Partial<Record<SpanKind, Owner>> = {
  connection: 'client',
  tls: 'client',
  content: 'client',
  flush: 'client',
  queue: 'queue',
  lane: 'queue',
  backend: 'backend',
  head: 'client',
  rules: 'own',
  route: 'own',
  handler: 'own',
  return: 'own',
  response: 'own',
};

/** Whose time a span is. What happens within Python is the application's. */
export function ownerOf(kind: SpanKind): Owner {
  return OWNERS[kind] ?? 'python';
}

const NAMES: Partial<Record<SpanKind, string>> = {
  head: 'request head',
  'wsgi-middleware': 'WSGI middleware',
  application: 'WSGI application',
  tls: 'TLS handshake',
  url: 'URL resolver',
  query: 'SQL query',
  'http-client': 'outgoing HTTP',
  python: 'worker thread',
  close: 'close()',
  body: 'response body',
  return: 'way back',
};

export function kindName(kind: SpanKind): string {
  return NAMES[kind] ?? kind;
}

/** The colour of a span: its owner's, and within Python that of what takes time there. A lane counts as a wait if others are before the request. */
export function colourOf(kind: SpanKind, attributes: Span['attributes'] = {}): string {
  if (kind === 'lane' && !(Number(attributes.behind_us) > 0)) return 'own-own';
  if (kind === 'query' || kind === 'template') return `own-${kind}`;
  return kind === 'cache' || kind === 'http-client' ? 'own-outside' : `own-${ownerOf(kind)}`;
}

/** A span in words. Some names are that of their kind, or start with it. */
export function spanLabel(kind: SpanKind, name: string): string {
  if (name === kind) return kindName(kind);
  return name.startsWith(`${kind} `) ? name : `${kindName(kind)} ${name}`;
}
