import { describeOutcome } from './describe-outcome.ts';
import type { Difference, DifferenceKind } from './difference.ts';
import { fieldDifferences } from './field-differences.ts';
import type { Outcome, Probe } from './outcome.ts';
import { targetDifference } from './redirect-target.ts';
import { sentDifferences } from './sent-differences.ts';

/** Compares what became of a probe with what becomes of it now. An outcome that is not known differs from nothing. */
export function differencesOf(before: Outcome, now: Outcome, probe: Probe): Difference[] {
  if (before.kind === 'unknown' || now.kind === 'unknown') return [];
  const kind = wholeDifference(before, now, probe);
  if (kind !== null) return [{ kind, subject: '', before: describeOutcome(before), now: describeOutcome(now) }];
  if (before.kind === 'closed' || now.kind === 'closed') return [];
  const sent = before.kind === 'backend' && now.kind === 'backend' ? sentDifferences(before.sent, now.sent, probe) : [];
  return [...sent, ...fieldDifferences(before.fields, now.fields)];
}

function wholeDifference(before: Outcome, now: Outcome, probe: Probe): DifferenceKind | null {
  if (givesContent(now) && !givesContent(before)) return openDifference(before, probe);
  if (refuses(before) && refuses(now) && (isClosed(before) || isClosed(now) || !/^(?:GET|HEAD)$/.test(probe.method)))
    return null;
  if (before.kind === 'answer' && now.kind === 'answer') return answerDifference(before, now, probe);
  if (before.kind === 'file' && now.kind === 'file') return fileDifference(before, now);
  if (before.kind === 'backend' && now.kind === 'backend') {
    const isSame =
      (before.target === '' || oneSlash(before.target) === oneSlash(now.target)) &&
      (before.to.join(' ') === now.to.join(' ') || endpoints(before.to) === endpoints(now.to));
    if (!isSame) return 'another backend';
    return before.method === now.method && before.status === now.status ? null : 'another answer';
  }
  if (before.kind === now.kind) return null;
  if (now.kind === 'backend') return 'another backend';
  return now.kind === 'file' && now.status < 300 ? 'another file' : 'another answer';
}

const OTHER_SCHEME = 'another scheme or host';

/** Whether a client gets more than a refusal or a redirect. The file of an error page does not count. */
export function givesContent(outcome: Outcome): boolean {
  if (outcome.kind === 'backend') return true;
  return (outcome.kind === 'file' || outcome.kind === 'answer') && outcome.status < 300;
}

/** Whether a request gets an error, or a closed connection. Servers disagree about which error another method than GET gets. */
function refuses(outcome: Outcome): boolean {
  return outcome.kind === 'closed' || (outcome.kind === 'answer' && outcome.status >= 400);
}

function isClosed({ kind }: Outcome): boolean {
  return kind === 'closed';
}

/** A redirect may keep clients from content, unless it only adds a slash. */
function openDifference(before: Outcome, probe: Probe): DifferenceKind {
  const location = before.kind === 'answer' ? before.location : null;
  if (location?.startsWith('https:') === true && !probe.secure) return OTHER_SCHEME;
  const [path = ''] = probe.target.split('?', 1);
  const isSlash =
    location !== null && targetDifference(location, probe.target.replace(path, `${path}/`), probe) === null;
  return isSlash ? 'another answer' : 'more open';
}

type Answer = Extract<Outcome, { readonly kind: 'answer' }>;
type File = Extract<Outcome, { readonly kind: 'file' }>;

function answerDifference(before: Answer, now: Answer, probe: Probe): DifferenceKind | null {
  if (before.location !== null && now.location !== null) {
    const target = targetDifference(before.location, now.location, probe);
    if (target !== null) return target === 'host' ? OTHER_SCHEME : 'another answer';
  }
  const isSame =
    before.status === now.status &&
    (before.location === null) === (now.location === null) &&
    (before.content ?? '') === (now.content ?? '');
  if (becomesActive(before, now)) return 'more open';
  return isSame && (before.type === null || sameType(before.type, now.type)) ? null : 'another answer';
}

/** Types whose content a browser runs on the site's behalf. */
const ACTIVE = /^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|(?:text|application)\/xml)$/;

type Typed = Pick<Answer | File, 'type'>;

function becomesActive(before: Typed, now: Typed): boolean {
  return before.type !== null && ACTIVE.test(now.type ?? '') && !ACTIVE.test(before.type);
}

/** Types that pages run or apply: their content must be asked for by that type. */
const SCRIPT = /^text\/(?:javascript|css)$/;

function fileDifference(before: File, now: File): DifferenceKind | null {
  if (withoutSlash(before.path) !== withoutSlash(now.path)) return 'another file';
  if (now.listing && !before.listing) return 'more open';
  if (becomesActive(before, now) && !now.listing) return 'more open';
  const isSame = before.status === now.status && before.listing === now.listing;
  return isSame && (now.listing || before.type === null || sameType(before.type, now.type)) ? null : 'another answer';
}

/** Names of JavaScript are one type (RFC 9239), and so are those of icons, fonts and XML in tables of different years. */
function sameType(before: string | null, now: string | null): boolean {
  const plain = (type: string | null): string =>
    (type ?? '')
      .replace(/^(?:application|text)\/(?:x-)?javascript$/, 'text/javascript')
      .replace(/^image\/(?:x-icon|vnd\.microsoft\.icon)$/, 'image/x-icon')
      .replace(/^(?:application\/(?:x-)?font-|font\/)/, 'font/')
      .replace(/^application\/xml$/, 'text/xml')
      .replace(/^application\/octet-stream$/, 'text/plain');
  // a type that the other server does not know
  const isPlainer = before === 'application/octet-stream' && !SCRIPT.test(plain(now));
  return isPlainer || plain(before) === plain(now);
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** Viaduct cleans doubled slashes in the paths of all sites. */
function oneSlash(target: string): string {
  return !target.includes('//') ? target : target.replace(/^[^?]*/, (path) => path.replace(/\/{2,}/g, '/'));
}

/** Backends in a form that compares: with port, and numbers for the name of this machine. */
function endpoints(to: readonly string[]): string {
  const plain = to.map((one) => {
    const [, scheme = '', address = ''] = /^([a-z0-9]+):\/\/(.*)$/.exec(one) ?? [];
    const same = { grpc: 'h2c', grpcs: 'h2' }[scheme] ?? scheme;
    const port = /:\d+$/.test(address) || address.startsWith('unix:') ? '' : /s$|^h2$/.test(same) ? ':443' : ':80';
    return `${same}://${address.replace(/^localhost(?=:|$)/, '127.0.0.1')}${port}`;
  });
  return [...new Set(plain)].sort().join(' ');
}
