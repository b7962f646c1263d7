import { ViaductError } from '../../errors.ts';
import { deriveRequest } from '../../http/derived-request.ts';
import type { Handler } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { type Placeholders, STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { PathPrefix } from '../../routing/path-prefix.ts';
import { oneSlash } from '../../routing/routing-path.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined, pairs } from '../options.ts';
import { DECODED, PathPattern } from './path-pattern.ts';
import { type QueryChanges, queryChange } from './query-change.ts';
import { UrlTarget } from './url-target.ts';

/** `prefix` or `pattern`, or neither if only `query` changes. */
export interface RewriteOptions {
  /** Start of the path that is replaced, in whole segments, not percent-encoded. */
  readonly prefix?: string;
  /** The replacement of `prefix`, not percent-encoded; nothing by default. */
  readonly replacement?: string;
  /** Regular expression (`Pattern`) for the percent-encoded path. */
  readonly pattern?: string;
  /**
   * Whether `pattern` is compared with the decoded path with single slashes, as routes compare it (`routingPath`), so that each spelling
   * of a path matches. Values of its groups are encoded again. False by default.
   */
  readonly decoded?: boolean;
  /** The new path if `pattern` matches, with its groups as `{1}` and so on, or by their names, and other placeholders. A `?` in it replaces the query too; `{query}` is the old query. */
  readonly to?: string;
  /** Changes of the query, after the path was changed. */
  readonly query?: QueryChanges;
}

/**
 * Changes the path or the query of requests. Percent-encoded bytes stay encoded. Requests that match neither prefix nor pattern are passed on unchanged. Behind a
 * mount, the path starts where the prefix of the mount ends. If a value would lead to a directory above, the request gets 400.
 *
 * @throws ViaductError `SETTINGS` for options that exclude or require each other, and for invalid options
 */
export function rewrite(options: RewriteOptions, placeholders = STANDARD_PLACEHOLDERS): Handler {
  const changePath = pathChange(options, placeholders);
  const changeQuery = options.query === undefined ? null : queryChange(options.query);

  return function rewrite(request, next) {
    if (request.path === '*') return next(request);
    const target = changePath(request, request.path.slice(request.scriptName.length));
    if (target === null) return next(request);
    if (target === '') return Response.text(400, 'Bad Request: no path for this request\n');
    const mark = target.indexOf('?');
    const path = request.scriptName + (mark < 0 ? target : target.slice(0, mark));
    const query = mark < 0 ? request.query : target.slice(mark + 1);
    return next(deriveRequest(request, { path, query: changeQuery === null ? query : changeQuery(query) }));
  };
}

/** `rewrite` in a configuration. */
export const rewriteFeature = describeFeature({
  key: 'rewrite',
  scope: 'site',
  description: 'Changes the path or the query that the application receives.',
  page: 'handlers.md#rewrite',
  schema: ({ bool, feature, fields, listOf, table, words }) =>
    feature({
      prefix: words('a path')
        .optional()
        .describe('Start of the path that is replaced, in whole segments, not encoded.'),
      replacement: words('a path')
        .optional()
        .meta({ description: 'What replaces prefix, not encoded.', defaultText: 'nothing' }),
      pattern: words('a regular expression').optional().describe('Regular expression for the path.'),
      decoded: bool().default(false).describe(DECODED),
      to: words('a path').optional().describe('New path, with placeholders, where pattern matches.'),
      query: table({
        set: fields().default({}).describe('Parameters that replace all of the same name.'),
        remove: listOf(words('a field name')).prefault([]).describe('Names of parameters that are removed.'),
      })
        .optional()
        .describe('Changes of the query.'),
    }),
  create: ({ query, ...path }, { placeholders }) =>
    rewrite(
      omitUndefined({
        ...path,
        query: query === undefined ? undefined : { set: pairs(query.set), remove: query.remove },
      }),
      placeholders,
    ),
});

/** Returns the new path of a request, with or without a query; null if the request does not match, '' if a value must not be in a path. `path` is the part of the path behind the mount. */
type PathChange = (request: Request, path: string) => string | null;

function pathChange(
  { prefix, replacement, pattern, decoded = false, to, query }: RewriteOptions,
  placeholders: Placeholders,
): PathChange {
  if (decoded && pattern === undefined) throw refusal('decoded is about pattern, which is missing');
  const isPrefix = prefix !== undefined && pattern === undefined && to === undefined;
  if (isPrefix) return prefixChange(prefix, replacement ?? '/');
  if (replacement !== undefined || prefix !== undefined) throw refusal('the options do not fit together');
  if (pattern !== undefined && to !== undefined)
    return patternChange(new PathPattern(pattern, decoded, 'rewrite pattern'), to, placeholders);
  if (pattern !== undefined || to !== undefined)
    throw refusal(`${pattern === undefined ? 'pattern' : 'to'} is missing`);
  if (query === undefined) throw refusal('no option is set');
  return (_, path) => path;
}

function prefixChange(from: string, to: string): PathChange {
  const prefix = new PathPrefix(from, 'rewrite prefix');
  const replacement = encodeURI(new PathPrefix(to, 'rewrite replacement').path);

  return function changePrefix(request, path): string | null {
    const length = prefix.lengthIn(path);
    if (length >= 0) return replacement + path.slice(length) || '/';
    const plain = oneSlash(path);
    return plain === path ? null : changePrefix(request, plain);
  };
}

function patternChange(pattern: PathPattern, to: string, placeholders: Placeholders): PathChange {
  const target = new UrlTarget(to, 'rewrite target', placeholders, pattern.groups);
  if (target.templates.some(({ isPath }) => !isPath)) {
    throw new ViaductError('SETTINGS', `Cannot rewrite to ${JSON.stringify(to)}: it is not a path`, {
      advice: 'Start with a slash. For another host, use a redirect or a proxy.',
    });
  }

  return function changeByPattern(request, path) {
    const captures = pattern.match(path);
    if (captures === null) return null;
    const shown = path === request.path ? request : deriveRequest(request, { path });
    const changed = target.fill(request, captures, shown);
    return changed === null ? '' : changed === '' ? null : changed;
  };
}

function refusal(state: string): ViaductError {
  return new ViaductError('SETTINGS', `Cannot rewrite: ${state}`, {
    advice: 'Write prefix, with or without replacement; or pattern and to; or query.',
  });
}
