import { environKey, joinRepeated, percentDecode } from '../../gateway/variables.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { VERSION } from '../../version.ts';
import { requestFieldKind } from '../field-kind.ts';
import { type ForwardedMode, forwardedLines } from '../forwarded.ts';
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

/** The variables of `request`; CONTENT_LENGTH is always among them. */
export function requestVariables(request: Request, options: VariableOptions): Variables {
  const { method, path, query, scriptName, protocol, peer, host, body } = request;
  const secure = peer.secure;
  const port = peer.serverPort || options.listenerPorts[peer.listener] || (secure ? '443' : '80');
  const variables = [
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', query === '' ? path : `${path}?${query}`],
    ['SCRIPT_NAME', percentDecode(scriptName)],
    ['PATH_INFO', percentDecode(path.slice(scriptName.length))],
    ['QUERY_STRING', query],
    ['CONTENT_LENGTH', body === null ? '0' : `${body.length}`],
    ['SERVER_PROTOCOL', protocol],
    ['SERVER_SOFTWARE', `viaduct/${VERSION}`],
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_NAME', host.replace(/:\d*$/, '') || 'localhost'],
    ['SERVER_PORT', port],
    ['REMOTE_ADDR', peer.remoteAddress],
    ['REMOTE_PORT', `${peer.remotePort}`],
    ['REQUEST_SCHEME', secure ? 'https' : 'http'],
    ...(secure ? [['HTTPS', 'on']] : []),
  ].flat();
  addFields(variables, request, options);
  const { params } = options;
  if (params.length === 0) return variables;
  const given = new Set(params.filter((_, i) => i % 2 === 0));
  return [...variables.filter((_, i) => !given.has(variables[i - (i % 2)] as string)), ...params];
}

function addFields(variables: string[], request: Request, options: VariableOptions): void {
  const fields = fieldsOf(request, options);
  for (let i = 0; i < fields.length; i += 2) {
    const key = environKey(fields[i] as string);
    if (key !== null && key !== 'CONTENT_LENGTH') variables.push(key, fields[i + 1] as string);
  }
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
