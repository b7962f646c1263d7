import type { Request } from '../http/message.ts';

/** Conditions on a request besides its host and path. An empty list means no condition. */
export interface Conditions {
  /** In upper case; those of requests count in any case, because Django and Flask read `post` as `POST`. GET includes HEAD. */
  readonly methods: readonly string[];
  /** Name in lower case and value, one latin-1 character a byte; `*` accepts any value. */
  readonly headers: readonly Field[];
  /** Parameter and value, both decoded; `*` accepts any value. */
  readonly query: readonly Field[];
  /** Conditions of other kinds. */
  readonly when: readonly Condition[];
}

export interface Condition {
  /** The condition in words that complete the sentence "it matches because …": `{header.Host} is a.example`. */
  readonly text: string;
  test(request: Request): boolean;
}

export type Field = readonly [name: string, value: string];

/** The number of conditions. Of two routes with the same host and path, the one with more conditions is tried first. */
export function countConditions({ methods, headers, query, when }: Conditions): number {
  return (methods.length > 0 ? 1 : 0) + headers.length + query.length + when.length;
}

/** Whether `request` meets all conditions. */
export function meets(request: Request, { methods, headers, query, when }: Conditions): boolean {
  if (!meetsMethods(request, methods)) return false;
  for (const field of headers) if (!hasField(request, field)) return false;
  if (query.length > 0) {
    const parameters = parametersOf(request);
    if (!query.every((parameter) => isAmong(parameters, parameter))) return false;
  }
  for (const condition of when) if (!condition.test(request)) return false;
  return true;
}

/** Whether the method of `request` is one of `methods`. An empty list means no condition. */
export function meetsMethods(request: Request, methods: readonly string[]): boolean {
  if (methods.length === 0) return true;
  const method = request.method.toUpperCase();
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

/** Whether the query of `request` has this parameter. */
export function hasParameter(request: Request, parameter: Field): boolean {
  return isAmong(parametersOf(request), parameter);
}

function parametersOf({ query }: Request): URLSearchParams {
  return new URLSearchParams(`?${query}`); // it removes one question mark
}

function isAmong(parameters: URLSearchParams, [name, value]: Field): boolean {
  return value === '*' ? parameters.has(name) : parameters.getAll(name).includes(value);
}

/** Whether `request` has this field. */
export function hasField({ headers }: Request, [name, value]: Field): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    if (value === '*' || headers[i + 1] === value) return true;
  }
  return false;
}
