import type { HeaderList, Request } from '../../http/message.ts';
import { VERSION } from '../../version.ts';
import { environKey, joinRepeated, percentDecode } from '../../wsgi/variables.ts';
import { type ForwardedMode, forwardedLines } from '../forwarded.ts';
import { requestFieldKind } from '../hop-by-hop.ts';
import { nominatedFields } from '../http1/request-heads.ts';

export interface VariableOptions {
  readonly forwarded: ForwardedMode;
  /** The port of each listener. */
  readonly listenerPorts: readonly string[];
  /** Further variables, `[name, value, …]`, which win over those of the request. */
  readonly params: HeaderList;
}

/** Names and values, in turn: what CGI (RFC 3875 section 4.1) and its relatives tell an application of a request. Strings are latin-1. */
export type Variables = readonly string[];

/** Requests of one client that come again and again have the same fields; so many are remembered. */
const REMEMBERED_MAX = 1024;
const REMEMBERED_LENGTH_MAX = 8192;

/** Writes the variables of requests in a protocol's own form. What recurs with a client's fields is written once. */
export class RequestVariables {
  readonly #options: VariableOptions;
  readonly #encode: (variables: Variables) => string;
  readonly #given: ReadonlySet<string>;
  readonly #params: string;
  readonly #remembered = new Map<number, string>();

  /** `encode` writes a part of the variables; parts stand behind each other. */
  constructor(options: VariableOptions, encode: (variables: Variables) => string) {
    this.#options = options;
    this.#encode = encode;
    this.#given = new Set(options.params.filter((_, i) => i % 2 === 0));
    this.#params = encode(options.params);
  }

  /** The variables of `request`; CONTENT_LENGTH is the first. */
  write(request: Request): string {
    return this.#part(ownVariables(request)) + this.#section(request) + this.#params;
  }

  #section(request: Request): string {
    const { recurring } = request;
    if (recurring === 0) return this.#part(sectionVariables(request, this.#options));
    const known = this.#remembered.get(recurring);
    if (known !== undefined) return known;
    const text = this.#part(sectionVariables(request, this.#options));
    if (text.length > REMEMBERED_LENGTH_MAX) return text;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(recurring, text);
    return text;
  }

  /** Without those that the configuration gives. */
  #part(variables: Variables): string {
    const given = this.#given;
    return this.#encode(
      given.size === 0 ? variables : variables.filter((_, i) => !given.has(variables[i - (i % 2)] as string)),
    );
  }
}

/** What each request has of its own. */
function ownVariables({ method, path, query, scriptName, body }: Request): Variables {
  return [
    'CONTENT_LENGTH',
    body === null ? '0' : `${body.length}`,
    'REQUEST_METHOD',
    method,
    'REQUEST_URI',
    query === '' ? path : `${path}?${query}`,
    'SCRIPT_NAME',
    scriptName === '' ? '' : percentDecode(scriptName),
    'PATH_INFO',
    path.includes('%') ? percentDecode(path.slice(scriptName.length)) : path.slice(scriptName.length),
    'QUERY_STRING',
    query,
  ];
}

/** What recurs with the client and its fields. */
function sectionVariables(request: Request, options: VariableOptions): Variables {
  const { protocol, peer, host } = request;
  const { secure } = peer;
  const variables = [
    'SERVER_PROTOCOL',
    protocol,
    'SERVER_SOFTWARE',
    `viaduct/${VERSION}`,
    'GATEWAY_INTERFACE',
    'CGI/1.1',
    'SERVER_NAME',
    host.replace(/:\d*$/, '') || 'localhost',
    'SERVER_PORT',
    peer.serverPort || options.listenerPorts[peer.listener] || (secure ? '443' : '80'),
    'REMOTE_ADDR',
    peer.remoteAddress,
    'REMOTE_PORT',
    `${peer.remotePort}`,
    'REQUEST_SCHEME',
    secure ? 'https' : 'http',
  ];
  if (secure) variables.push('HTTPS', 'on');
  const fields = fieldsOf(request, options);
  for (let i = 0; i < fields.length; i += 2) {
    const key = environKey(fields[i] as string);
    if (key !== null && key !== 'CONTENT_LENGTH') variables.push(key, fields[i + 1] as string);
  }
  return variables;
}

/** The fields that the application gets: without those of the connection, and with what is said about the client. One of each name. */
function fieldsOf(request: Request, { forwarded, listenerPorts }: VariableOptions): HeaderList {
  const { headers, host, peer } = request;
  const nominated = nominatedFields(request);
  const before = { for: '', host: '', port: '', forwarded: '' };
  const fields: string[] = host === '' ? [] : ['Host', host];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const kind = requestFieldKind(name);
    if (kind === 'drop' || kind === 'connection' || kind === 'upgrade' || nominated?.has(name.toLowerCase())) continue;
    if (kind === 'pass' || forwarded === 'off') fields.push(name, value);
    else if (kind === 'x-forwarded-for') before.for = before.for === '' ? value : `${before.for}, ${value}`;
    else if (kind === 'x-forwarded-host') before.host ||= value;
    else if (kind === 'x-forwarded-port') before.port ||= value;
    else if (kind === 'forwarded') before.forwarded = before.forwarded === '' ? value : `${before.forwarded}, ${value}`;
  }
  const port = listenerPorts[peer.listener] ?? '';
  for (const line of forwardedLines(request, before, forwarded, port).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return joinRepeated(fields);
}
