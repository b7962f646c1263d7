import type { FieldLines, Outcome, Probe } from '../../../src/import/check/outcome.ts';
import type { RealResponse } from './ask-nginx.ts';
import { fileContent } from './site.ts';
import { MARK, type Seen } from './stubs.ts';

type Pairs = Seen['sent'];

/** How a response of nginx differs from what the model expects, in words; null where it does not. */
export function differenceOf(probe: Probe, expected: Outcome, real: RealResponse | null): string | null {
  if (expected.kind === 'unknown') return null;
  if (expected.kind === 'backend' && hasControls(expected)) return null;
  if (expected.kind === 'closed') return real === null ? null : `nginx answers with ${real.status}, expected a close`;
  if (real === null) return `nginx closes, expected ${JSON.stringify(expected)}`;
  const isBackend = real.fields.some(([name]) => name === MARK);
  const status = expected.status ?? 200;
  // without credentials, backends answer with 401, so that subrequests are refused
  const isRefusal = isBackend && real.status === 401 && status === 200;
  if (real.status !== status && !isRefusal)
    return differs('status', status, `${real.status} ${bodyOf(real).slice(0, 200)}`);
  if (isBackend !== (expected.kind === 'backend')) return differs('kind', expected.kind, bodyOf(real).slice(0, 200));
  const inner =
    expected.kind === 'backend'
      ? backendDifference(probe, expected, real)
      : expected.kind === 'file'
        ? fileDifference(probe, expected, real)
        : answerDifference(probe, expected, real);
  return inner ?? (isRefusal ? null : fieldDifference(known(expected.fields), without(expected.fields, real.fields)));
}

/** nginx sends control characters of a path in fields, which split lines for the backend. */
function hasControls({ target, sent }: Outcome & { kind: 'backend' }): boolean {
  return [target, ...sent.map(([, value]) => value ?? '')].some((text) => /\p{Cc}/u.test(text));
}

function differs(what: string, expected: unknown, real: unknown): string {
  return `${what}: expected ${JSON.stringify(expected)}, nginx has ${JSON.stringify(real)}`;
}

function bodyOf({ body }: RealResponse): string {
  return body.toString('utf8');
}

function fieldOf(real: RealResponse, name: string): string | null {
  return real.fields.find(([each]) => each === name)?.[1] ?? null;
}

function answerDifference(probe: Probe, expected: Outcome & { kind: 'answer' }, real: RealResponse): string | null {
  const location = fieldOf(real, 'location');
  if (location !== (expected.location?.trim() ?? null)) return differs('location', expected.location, location);
  if (probe.method === 'HEAD') return null;
  const type = fieldOf(real, 'content-type')?.split(';')[0] ?? null;
  if (expected.type !== null && type !== expected.type) return differs('type', expected.type, type);
  const body = bodyOf(real);
  if (expected.content !== null) return body === expected.content ? null : differs('content', expected.content, body);
  return body === '' || body.startsWith('<html>\r\n<head><title>') ? null : differs('content', 'an error page', body);
}

function fileDifference(probe: Probe, expected: Outcome & { kind: 'file' }, real: RealResponse): string | null {
  const type = fieldOf(real, 'content-type')?.split(';')[0] ?? null;
  if (type !== expected.type) return differs('type', expected.type, type);
  if (probe.method === 'HEAD') return null;
  const body = bodyOf(real);
  if (expected.listing) return body.includes('<title>Index of ') ? null : differs('content', 'a list', body);
  const content = fileContent(expected.path);
  return body === content ? null : differs('content', content, body);
}

function backendDifference(probe: Probe, expected: Outcome & { kind: 'backend' }, real: RealResponse): string | null {
  // without a body, only the status is seen
  if (probe.method === 'HEAD' && real.body.length === 0) return null;
  const seen = JSON.parse(bodyOf(real)) as Seen;
  if (!expected.to.includes(seen.to)) return differs('backend', expected.to, seen.to);
  const isCgi = seen.to.startsWith('uwsgi');
  if (seen.target !== expected.target) return differs('target', expected.target, seen.target);
  if (!isCgi && seen.method !== expected.method) return differs('method', expected.method, seen.method);
  const sent = isCgi ? joined(known(expected.sent)) : known(expected.sent);
  const [wanted, got] = [comparable(sent), comparable(without(expected.sent, seen.sent))];
  return wanted === got ? null : differs('sent', wanted, got);
}

function known(fields: FieldLines): Pairs {
  return fields.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

/** The real fields without those whose value the model does not know. */
function without(fields: FieldLines, real: Pairs): Pairs {
  const names = new Set(fields.filter(([, value]) => value === null).map(([name]) => name.toLowerCase()));
  return real.filter(([name]) => !names.has(name.toLowerCase()));
}

/** Variables as the reader of uwsgi packets gives them: repeated ones are one. */
function joined(sent: Pairs): Pairs {
  const values = new Map<string, string>();
  for (const [name, value] of sent) values.set(name, values.has(name) ? `${values.get(name)}, ${value}` : value);
  return [...values];
}

/** Fields that the connection to nginx or to the backend needs, not the configuration. */
const OF_CONNECTIONS = /^(?:http_)?(?:connection|authorization|content[-_]length)$/i;

function comparable(sent: Pairs): string {
  const kept = sent.filter(([name]) => !OF_CONNECTIONS.test(name));
  return kept
    .map(([name, value]) => `${name.toLowerCase()}=${value}`)
    .sort()
    .join('\n');
}

function fieldDifference(expected: Pairs, real: Pairs): string | null {
  const shown = (fields: Pairs) =>
    fields
      .filter(([name]) => /^(?:x-|cache-control$)/i.test(name) && name.toLowerCase() !== MARK)
      .map(([name, value]) => `${name.toLowerCase()}: ${value.trim()}`)
      .sort();
  const [wanted, got] = [shown(expected), shown(real)];
  return JSON.stringify(wanted) === JSON.stringify(got) ? null : differs('fields', wanted, got);
}
