import type { Request } from '../../http/message.ts';
import { type Backend, backendAuthority } from '../backend.ts';
import { type ForwardedMode, forwardedLines } from '../forwarded.ts';
import { requestFieldKind } from '../hop-by-hop.ts';

export interface RequestHeadOptions {
  /** The Host that the backend gets: the client's, the backend's own, or this one. */
  readonly hostHeader: 'client' | 'backend' | string;
  readonly forwarded: ForwardedMode;
  /** The port of each listener, for X-Forwarded-Port. */
  readonly listenerPorts: readonly string[];
  /** Fields with an underscore in their name are passed on, which CGI-like interfaces behind take for those with a hyphen. */
  readonly underscores: boolean;
  /** The connection ends with the request. */
  readonly closes: boolean;
}

/** Requests of one client that come again and again have the same fields; so many are remembered. */
const REMEMBERED_MAX = 1024;
const REMEMBERED_LENGTH_MAX = 4096;
const NEED_LENGTH = new Set(['POST', 'PUT', 'PATCH']);

/** Writes the heads of the requests to one backend. */
export class RequestHeads {
  readonly #options: RequestHeadOptions;
  /** The Host that is sent, or `client`. */
  readonly #authority: string;
  readonly #backendAuthority: string;
  readonly #remembered = new Map<number, string>();

  constructor(backend: Backend, options: RequestHeadOptions) {
    this.#options = options;
    this.#backendAuthority = backendAuthority(backend);
    this.#authority = options.hostHeader === 'backend' ? this.#backendAuthority : options.hostHeader;
  }

  /** The head of `request`, which asks for `upgrade` when that is not ''. */
  write(request: Request, upgrade: string): string {
    const { method, path, query, scriptName, body } = request;
    const rest = scriptName !== '' && path.startsWith(scriptName) ? path.slice(scriptName.length) : path;
    const target = (rest === '' ? '/' : rest) + (query === '' ? '' : `?${query}`);
    let framing = '';
    if (body !== null)
      framing = body.length < 0 ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
    else if (NEED_LENGTH.has(method)) framing = 'Content-Length: 0\r\n';
    if (upgrade !== '') framing += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
    else if (this.#options.closes) framing += 'Connection: close\r\n';
    return `${method} ${target} HTTP/1.1\r\n${this.#fields(request)}${framing}\r\n`;
  }

  #fields(request: Request): string {
    const { recurring } = request;
    if (recurring === 0) return this.#writeFields(request);
    const known = this.#remembered.get(recurring);
    if (known !== undefined) return known;
    const fields = this.#writeFields(request);
    if (fields.length > REMEMBERED_LENGTH_MAX) return fields;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(recurring, fields);
    return fields;
  }

  #writeFields(request: Request): string {
    const { headers, host, peer } = request;
    const { forwarded, listenerPorts, underscores } = this.#options;
    const tellsX = forwarded === 'x-forwarded' || forwarded === 'both';
    const tellsForwarded = forwarded === 'forwarded' || forwarded === 'both';
    const before = { for: '', host: '', port: '', forwarded: '' };
    const nominated = nominatedFields(request);
    const authority = this.#authority === 'client' ? host : this.#authority;
    let lines = `Host: ${authority || this.#backendAuthority}\r\n`;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      const kind = requestFieldKind(name);
      if (kind === 'drop' || kind === 'connection' || kind === 'upgrade') continue;
      if (!underscores && name.includes('_')) continue;
      if (nominated?.has(name.toLowerCase()) === true) continue;
      if (tellsX && kind.startsWith('x-')) {
        if (kind === 'x-forwarded-for') before.for = before.for === '' ? value : `${before.for}, ${value}`;
        else if (kind === 'x-forwarded-host') before.host ||= value;
        else if (kind === 'x-forwarded-port') before.port ||= value;
      } else if (tellsForwarded && kind === 'forwarded') {
        before.forwarded = before.forwarded === '' ? value : `${before.forwarded}, ${value}`;
      } else lines += `${name}: ${value}\r\n`;
    }
    return lines + forwardedLines(request, before, forwarded, listenerPorts[peer.listener] ?? '');
  }
}

/** The fields that belong to the client's connection because Connection names them; null when it names none. */
export function nominatedFields({ headers }: Request): Set<string> | null {
  let names: Set<string> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (requestFieldKind(headers[i] as string) !== 'connection') continue;
    const value = headers[i + 1] as string;
    if (value === 'keep-alive') continue;
    names ??= new Set();
    for (const name of value.toLowerCase().split(',')) names.add(name.trim());
  }
  return names;
}

/** The protocols that the client wants instead: '' when none, or when HTTP/2 is among them, which would get past every check here. */
export function wantedUpgrade(request: Request): string {
  if (!request.upgrades) return '';
  const { headers } = request;
  let wanted = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (requestFieldKind(headers[i] as string) !== 'upgrade') continue;
    wanted = wanted === '' ? (headers[i + 1] as string) : `${wanted}, ${headers[i + 1]}`;
  }
  return /(?:^|[\s,])h2c?(?:$|[\s,/])/i.test(wanted) ? '' : wanted;
}
