import type { Request } from '../http/message.ts';
import { type Field, hasField, hasParameter, meetsMethods } from './conditions.ts';
import type { PathPattern } from './path-table.ts';
import { hostMatches, type RouteMatch } from './router.ts';

/** So many routes are explained: a configuration may have hundreds. */
const EXPLAINED_MAX = 100;

/** Why a route was chosen, and why the routes beside it were not. */
export interface RouteExplanation {
  readonly why: string;
  readonly rejected: readonly (readonly [name: string, why: string])[];
}

/** A route, for an explanation. */
export interface ExplainedRoute {
  readonly name: string;
  readonly match: RouteMatch;
}

/**
 * Explains the choice of `chosen` (null: no route matched) for a request, whose `routingPath` is `path`. `host` is the name of the host that counts.
 * It looks at each route once more, so it is for requests that are traced.
 */
export function explainRoute(
  request: Request,
  path: string,
  host: string,
  routes: readonly ExplainedRoute[],
  chosen: ExplainedRoute | null,
): RouteExplanation {
  const rejected = routes
    .filter((route) => route !== chosen)
    .slice(0, EXPLAINED_MAX)
    .map(({ name, match }) => [name, whyNot(request, path, host, match)] as const);
  return { why: chosen === null ? 'No route matched.' : whyChosen(path, host, chosen.match), rejected };
}

function whyChosen(path: string, host: string, match: RouteMatch): string {
  const { listen, hosts, hostPatterns, paths, patterns, methods, headers, query, when } = match;
  const reasons = [
    listen.length === 0 ? '' : `it came over ${addresses(match)}`,
    hostReason(host, hosts, hostPatterns),
    pathReason(path, paths, patterns),
    methods.length === 0 ? '' : `the method is one of ${methods.join(', ')}`,
    headers.length === 0 ? '' : `it has the fields ${list(headers.map(fieldText))}`,
    query.length === 0 ? '' : `its query has ${list(query.map(fieldText))}`,
    ...when.map(({ text }) => text),
  ].filter((reason) => reason !== '');
  return reasons.length === 0 ? 'It takes every request.' : `${capital(reasons.join(', and '))}.`;
}

function hostReason(host: string, hosts: readonly string[], patterns: readonly PathPattern[]): string {
  const pattern = patterns.find((one) => one.test(host));
  if (hosts.some((one) => hostMatches(host, one))) return `the host ${host} is ${list(hosts)}`;
  return pattern === undefined ? '' : `the host ${host} matches ${pattern.source}`;
}

function pathReason(path: string, paths: readonly string[], patterns: readonly PathPattern[]): string {
  const matching = paths.find((one) => pathMatches(path, one)) ?? patterns.find((one) => one.test(path))?.source;
  return matching === undefined ? '' : `the path ${path} matches ${matching}`;
}

function whyNot(request: Request, path: string, host: string, match: RouteMatch): string {
  const { listen, hosts, hostPatterns, paths, patterns, methods, headers, query, when } = match;
  if (listen.length > 0 && !listen.some(({ listeners }) => listeners.includes(request.peer.listener)))
    return `The request did not come over ${addresses(match)}.`;
  const hasHost = hosts.length + hostPatterns.length > 0;
  if (hasHost && !hosts.some((one) => hostMatches(host, one)) && !hostPatterns.some((one) => one.test(host)))
    return `Its host is ${list([...hosts, ...hostPatterns.map(({ source }) => source)])}, not ${host === '' ? 'an empty one' : host}.`;
  const hasPath = paths.length + patterns.length > 0;
  if (hasPath && !paths.some((one) => pathMatches(path, one)) && !patterns.some((one) => one.test(path)))
    return `The path ${path} does not match ${list([...paths, ...patterns.map(({ source }) => source)])}.`;
  if (!meetsMethods(request, methods)) return `Its methods are ${methods.join(', ')}, not ${request.method}.`;
  const field = headers.find((one) => !hasField(request, one));
  if (field !== undefined) return `The request does not have the field ${fieldText(field)}.`;
  const parameter = query.find((one) => !hasParameter(request, one));
  if (parameter !== undefined) return `The query does not have ${fieldText(parameter)}.`;
  const condition = when.find((one) => !one.test(request));
  if (condition !== undefined) return `It needs that ${condition.text}.`;
  return 'It matches, too, but another route is more exact or comes before it.';
}

function pathMatches(path: string, pattern: string): boolean {
  if (!pattern.endsWith('*')) return path === pattern;
  const prefix = pattern.slice(0, -1);
  return path.startsWith(prefix) || `${path}/` === prefix;
}

function addresses({ listen }: RouteMatch): string {
  return list(listen.map(({ address }) => address));
}

function fieldText([name, value]: Field): string {
  return value === '*' ? name : `${name} = ${value}`;
}

function list(items: readonly string[]): string {
  return items.join(' or ');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
