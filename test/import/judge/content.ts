import type { Disk, Outcome, Probe } from '../../../src/import/check/outcome.ts';
import { decide } from '../../../src/import/nginx/model/decide.ts';
import type { Model } from '../../../src/import/nginx/model/model.ts';
import type { RealResponse } from './ask-nginx.ts';
import { fileContent, realDisk, withoutDirectories } from './site.ts';
import { MARK, type Seen } from './stubs.ts';

/** Which content a client gets, by its backend or its octets; null without one. */
export function contentOf(response: RealResponse | null, group: readonly string[] = []): string | null {
  if (response === null || response.status >= 300) return null;
  const text = response.body.toString('utf8');
  if (!response.fields.some(([name]) => name === MARK))
    return LISTING.test(text) ? `a list of ${namesIn(text)}` : plainContent(text);
  if (text === '') return 'a backend';
  const { to, target } = JSON.parse(text) as Seen;
  return backendContent(group.includes(to) ? group : [to], target);
}

/**
 * Which content a client gets by rules of Viaduct that are the same for each site, and that docs/import.md names: a directory without an index
 * is missing, a file is missing for a path with an encoded or a doubled slash, and files have no other methods than GET and HEAD, whether they
 * exist or not. Error pages follow from this as in nginx.
 */
export function usualContents(model: Model, probe: Probe): (string | null)[] {
  const missing = expectedContent(decide(model, probe, withoutDirectories), probe);
  if (/^(?:GET|HEAD)$/.test(probe.method))
    return [missing, expectedContent(decide(model, probe, withoutOddNames(probe)), probe)];
  const got: Probe = { ...probe, method: 'GET' };
  const inDirectory: Probe = { ...probe, target: probe.target.replace(/\/(?=\?|$)/, '/zz') };
  return [
    missing,
    expectedContent(decide(model, probe, withAllFiles), probe),
    expectedContent(decide(model, inDirectory, withAllFiles), probe),
    expectedContent(decide(model, got, withoutDirectories), got),
  ];
}

/** For a path with an odd slash, the disk lacks what the path would name without it: a file, or a directory with its index. */
function withoutOddNames({ target }: Probe): Disk {
  const [path = ''] = target.split('?', 1);
  const name = /\/\/|%2F/i.test(path) ? decoded(path).replace(/\/+/g, '/').replace(/\/$/, '') : '';
  const isNamed = (on: string): boolean => on.includes(name) && ENDS.test(on.slice(on.lastIndexOf(name) + name.length));
  return (on) => (name !== '' && isNamed(on) ? null : realDisk(on));
}

/** What may follow a path in a name: the extension that `try_files` adds, or an index of the files that configurations are made for. */
const ENDS = /^(?:\.\w+)?(?:\/index\.\w+|\/x\.html)?$/;

const withAllFiles: Disk = () => 'file';

function expectedContent(outcome: Outcome, { method }: Probe): string | null {
  if (outcome.kind === 'unknown' || outcome.kind === 'closed' || (outcome.status ?? 200) >= 300) return null;
  const isHead = method === 'HEAD';
  if (outcome.kind === 'backend') return isHead ? 'a backend' : backendContent(outcome.to, outcome.target);
  return plainContent(isHead ? '' : outcome.kind === 'file' ? fileContent(outcome.path) : (outcome.content ?? ''));
}

/** A text may show a path as it was received. */
function plainContent(text: string): string {
  const plain = decoded(text).replace(/\/{2,}/g, '/');
  return `${plain.length} octets ${plain.slice(0, 60)}`;
}

/** Octets as characters, without percent-encoding. */
function decoded(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Which backend of a group gets a request is not settled. */
function backendContent(to: readonly string[], target: string): string {
  return `${to.join(' or ')} gets ${plainTarget(target)}`;
}

/** Servers pass a target on as received, or as they spell it, which is the same for the backend. */
function plainTarget(target: string): string {
  const [path = '', query = ''] = decoded(target).split(/\?(.*)/s);
  return `${path.replace(/\/{2,}/g, '/')}?${query}`;
}

const LISTING = /^<html>\r\n<head><title>Index of |^<!DOCTYPE html>/;

/** What a list of a directory has. Each server has a page of its own for it. */
function namesIn(page: string): string {
  const names = [...page.matchAll(/<a href="([^"?]*)"/g)].map(([, name = '']) => decodeURIComponent(name));
  return names
    .map((name) => name.replace(/^\.\//, ''))
    .filter((name) => name !== '../')
    .sort()
    .join(', ');
}
