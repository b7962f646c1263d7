import type { Request } from '../http/message.ts';

/** What a request must have beside its host and path. An empty list asks for nothing. */
export interface Conditions {
  /** In upper case. GET stands for HEAD too. */
  readonly methods: readonly string[];
  /** Name in lower case and value; `*` stands for any. */
  readonly headers: readonly Field[];
  /** Parameter and value, both decoded; `*` stands for any. */
  readonly query: readonly Field[];
}

export type Field = readonly [name: string, value: string];

/** How many things `conditions` ask for: of two routes for the same host and path the one with more of them is tried first. */
export function countConditions({ methods, headers, query }: Conditions): number {
  return (methods.length > 0 ? 1 : 0) + headers.length + query.length;
}

/** Whether `request` has all that `conditions` ask for. */
export function meets(request: Request, { methods, headers, query }: Conditions): boolean {
  if (methods.length > 0 && !methods.includes(request.method)) {
    if (request.method !== 'HEAD' || !methods.includes('GET')) return false;
  }
  for (const field of headers) if (!hasHeader(request, field)) return false;
  if (query.length === 0) return true;
  const parameters = new URLSearchParams(request.query);
  return query.every(([name, value]) =>
    value === '*' ? parameters.has(name) : parameters.getAll(name).includes(value),
  );
}

function hasHeader({ headers }: Request, [name, value]: Field): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    if (value === '*' || headers[i + 1] === value) return true;
  }
  return false;
}
