import { STATUS_CODES } from 'node:http';
import type { Outcome, Probe } from '../../import/check/outcome.ts';
import type { DryAnswer } from '../../site/dry-run/dry-answer.ts';
import type { DryRequest } from '../../site/dry-run/dry-request.ts';

type Fields = (readonly [name: string, value: string])[];

/** The probe as the request of a dry run. */
export function requestFor({ address, secure, client, authorized, method, target, fields }: Probe): DryRequest {
  const headers: string[] = [];
  for (const [name, value] of fields) headers.push(name, value);
  return { address, secure, client, authorized, method, target, headers };
}

/** What the answer of a dry run means; null means that there is none. */
export function outcomeOf(answer: DryAnswer | null): Outcome {
  if (answer === null) return { kind: 'closed' };
  if (answer.isRefused) return { kind: 'unknown', reason: 'Viaduct refuses such requests everywhere' };
  const { status, sent, file } = answer;
  const all = pairsOf(answer.headers);
  const fieldOf = (name: string): string | null => all.find(([one]) => one.toLowerCase() === name)?.[1] ?? null;
  const fields = all.filter(([name]) => !OWN.has(name.toLowerCase()));
  if (sent !== null) {
    const requestUri = pairsOf(sent.fields).find(([name]) => name === 'REQUEST_URI')?.[1];
    return {
      kind: 'backend',
      to: sent.backends.map(withScheme).sort(),
      method: sent.method,
      target: isCgi(sent.backend) ? (requestUri ?? '') : sent.target,
      status: null,
      sent: pairsOf(sent.fields),
      fields,
    };
  }
  const type = fieldOf('content-type')?.replace(/\s*;.*$/, '') ?? null;
  if (file !== null) return { kind: 'file', ...file, status, type, fields };
  const location = fieldOf('location');
  return { kind: 'answer', status, location, content: location === null ? contentOf(answer) : null, type, fields };
}

/** Fields that come with each response of their kind, and are not those of the configuration. */
const OWN: ReadonlySet<string> = new Set([
  ...['date', 'server', 'etag', 'last-modified', 'content-type', 'content-length', 'location', 'accept-ranges'],
  ...['vary', 'allow', 'connection', 'www-authenticate'],
]);

function pairsOf(list: readonly string[]): Fields {
  const pairs: Fields = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i] as string, list[i + 1] as string]);
  return pairs;
}

function isCgi(backend: string): boolean {
  return /^(?:uwsgi|fastcgi|scgi):/.test(backend);
}

/** A socket of an HTTP backend has no scheme in our names. */
function withScheme(name: string): string {
  return name.startsWith('unix:') ? `http://${name}` : name;
}

/** Null for a usual error page: the phrase of the status, maybe with a reason. */
function contentOf({ status, content }: DryAnswer): string | null {
  const phrase = STATUS_CODES[status] ?? '';
  return content === '' || content === `${phrase}\n` || content.startsWith(`${phrase}: `) ? null : content;
}
