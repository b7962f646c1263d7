import { ViaductError } from '../../errors.ts';
import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { PathPrefix } from '../../routing/path-prefix.ts';
import { Pattern } from '../../routing/pattern.ts';
import { type QueryChanges, queryChange } from './query-change.ts';
import { UrlTemplate } from './url-template.ts';

/** One of `prefix` or `pattern`, or neither, where only `query` changes. */
export interface RewriteOptions {
  /** What of the path is replaced, not percent-encoded; whole segments only. */
  readonly prefix?: string;
  /** What stands there instead, not percent-encoded; nothing when it is left out. */
  readonly replacement?: string;
  /** Regular expression (`Pattern`) for the percent-encoded path. */
  readonly pattern?: string;
  /** The new path, where `pattern` matches, with its groups as `{1}` and so on. One with a `?` replaces the query too; `{query}` is the old one. */
  readonly to?: string;
  readonly query?: QueryChanges;
}

/**
 * Shows those behind it another path, or another query. Percent-encoded octets stay as they are. What neither prefix nor pattern match is
 * passed on unchanged. Behind a mount the path begins where the mount ends.
 *
 * @throws ViaductError `SETTINGS` for options that exclude or lack each other, or cannot be used.
 */
export function rewrite(options: RewriteOptions): Handler {
  const changePath = pathChange(options);
  const changeQuery = options.query === undefined ? null : queryChange(options.query);

  return function rewrite(request, next) {
    if (request.path === '*') return next(request);
    const target = changePath(request, request.path.slice(request.scriptName.length));
    if (target === null) return next(request);
    const mark = target.indexOf('?');
    const path = request.scriptName + (mark < 0 ? target : target.slice(0, mark));
    const query = mark < 0 ? request.query : target.slice(mark + 1);
    return next(deriveRequest(request, { path, query: changeQuery === null ? query : changeQuery(query) }));
  };
}

/** From a request, and the part of its path that counts, to a new path with or without a query; null for one that is not meant. */
type PathChange = (request: Request, path: string) => string | null;

function pathChange({ prefix, replacement, pattern, to, query }: RewriteOptions): PathChange {
  const isPrefix = prefix !== undefined && pattern === undefined && to === undefined;
  if (isPrefix) return prefixChange(prefix, replacement ?? '/');
  if (replacement !== undefined || prefix !== undefined) throw unclear('prefix, replacement, pattern and to');
  if (pattern !== undefined && to !== undefined) return patternChange(pattern, to);
  if (pattern !== undefined || to !== undefined) throw unclear('pattern and to');
  if (query === undefined) throw unclear('nothing');
  return (_, path) => path;
}

function prefixChange(from: string, to: string): PathChange {
  const prefix = new PathPrefix(from, 'rewrite prefix');
  const replacement = encodeURI(new PathPrefix(to, 'rewrite replacement').path);

  return function changePrefix(_, path) {
    const length = prefix.lengthIn(path);
    return length < 0 ? null : replacement + path.slice(length) || '/';
  };
}

function patternChange(source: string, to: string): PathChange {
  const pattern = new Pattern(source, 'rewrite pattern');
  const template = new UrlTemplate(to, 'rewrite target', pattern.groups);
  if (template.isAbsolute || to.includes('#')) {
    throw new ViaductError('SETTINGS', `Cannot rewrite to ${JSON.stringify(to)}: it is no path`, {
      advice: 'Begin with a slash; another host is for a redirect or a proxy.',
    });
  }

  return function changeByPattern(request, path) {
    const captures = pattern.match(path);
    if (captures === null) return null;
    const target = template.fill(path === request.path ? request : deriveRequest(request, { path }), captures);
    return target !== null && template.hasQuery && !target.includes('?') ? `${target}?` : target;
  };
}

function unclear(what: string): ViaductError {
  return new ViaductError('SETTINGS', `Cannot rewrite with ${what}: it is not clear what is meant`, {
    advice: 'Write prefix, with or without replacement; or pattern and to; or query.',
  });
}
