import { textOf } from './model/bytes.ts';
import type { Template } from './model/template.ts';

/** nginx's variables and the placeholders of Viaduct that replace them. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  host: '{hostname}',
  http_host: '{host}',
  scheme: '{scheme}',
  request_uri: '{uri}',
  uri: '{path}',
  document_uri: '{path}',
  args: '{query}',
  query_string: '{query}',
  remote_addr: '{client.address}',
  remote_port: '{client.port}',
  proxy_add_x_forwarded_for: '{client.address}',
  server_addr: '{server.address}',
  server_port: '{server.port}',
  request_method: '{method}',
  server_protocol: '{protocol}',
  request_id: '{request.id}',
  ssl_protocol: '{tls.version}',
  ssl_cipher: '{tls.cipher}',
  ssl_server_name: '{tls.server_name}',
  ssl_client_serial: '{tls.client.serial}',
  ssl_client_s_dn: '{tls.client.subject}',
  ssl_client_i_dn: '{tls.client.issuer}',
  time_iso8601: '{time}',
};

/** What the variables of a text stand for at its place. */
export interface Values {
  /** The value of `$server_name`. */
  readonly serverName?: string | undefined;
  /** Names of the groups of a pattern, in order; '' for a group without a name. */
  readonly groups?: readonly string[];
  /** Texts of `set`, by the name of the variable. */
  readonly assigned?: ReadonlyMap<string, Template>;
  /** Placeholders for the groups of the pattern that is the name of the server, by name or number. */
  readonly hostGroups?: ReadonlyMap<string, string>;
  /** Names of maps. */
  readonly maps?: ReadonlySet<string>;
  /** Whether the text is shown, or compared: then `$uri` is the decoded path, so that no spelling of a path gets past the comparison. */
  readonly isDecoded?: boolean;
}

/** A text, or the name of a variable that has no counterpart. */
export type Filled = { readonly text: string } | { readonly unknown: string };

/** Writes a template with placeholders instead of variables. */
export function fill(template: Template, values: Values = {}): Filled {
  let text = '';
  for (const part of simplified(substituted(template, values.assigned))) {
    if (part.kind === 'text') {
      text += textOf(part.text).replace(/\{+(?=[A-Za-z_]\w*(?:\.[^{}\s]+)*\}|\d+\})/g, (braces) => braces + braces);
      continue;
    }
    const value = part.kind === 'capture' ? groupOf(part.index, values) : placeholderFor(part.name, values);
    if (value === undefined) return { unknown: part.kind === 'capture' ? `$${part.index}` : `$${part.name}` };
    text += value;
  }
  return { text };
}

/** The text of a template whose variables are all assigned constants; null otherwise. */
export function constantIn(template: Template, assigned?: ReadonlyMap<string, Template>): string | null {
  const parts = substituted(template, assigned);
  return parts.every(({ kind }) => kind === 'text')
    ? parts.map((part) => ('text' in part ? part.text : '')).join('')
    : null;
}

/** A template with the texts of `set` in the place of its variables. */
export function substituted(template: Template, assigned: ReadonlyMap<string, Template> | undefined): Template {
  if (assigned === undefined || assigned.size === 0) return template;
  return template.flatMap(
    (part): Template => (part.kind === 'variable' ? (assigned.get(part.name) ?? [part]) : [part]),
  );
}

/** `$uri$is_args$args` is what the client asked for, and `$is_args$args` a query with its mark. */
function simplified(template: Template): Template {
  const names = template.map((part) => (part.kind === 'variable' ? part.name : ''));
  const at = names.indexOf('is_args');
  const isQuery = at >= 0 && (names[at + 1] === 'args' || names[at + 1] === 'query_string');
  if (!isQuery) return template;
  const isWhole = names[at - 1] === 'uri' || names[at - 1] === 'document_uri';
  const before = template.slice(0, isWhole ? at - 1 : at);
  const query: Template = isWhole
    ? [{ kind: 'variable', name: 'request_uri' }]
    : [
        { kind: 'text', text: '?' },
        { kind: 'variable', name: 'args' },
      ];
  return [...before, ...query, ...template.slice(at + 2)];
}

function groupOf(index: number, { groups = [], hostGroups }: Values): string | undefined {
  return index <= groups.length ? `{${index}}` : hostGroups?.get(`${index}`);
}

function placeholderFor(
  name: string,
  { serverName, groups = [], hostGroups, maps, isDecoded }: Values,
): string | undefined {
  if (name === 'server_name') return serverName;
  const named = groups.indexOf(name);
  if (named >= 0) return `{${named + 1}}`;
  if (hostGroups?.has(name) === true) return hostGroups.get(name);
  if (maps?.has(name) === true) return `{map.${name}}`;
  if (isDecoded === true && /^(?:document_)?uri$/.test(name)) return '{path.decoded}';
  if (Object.hasOwn(PLACEHOLDERS, name)) return PLACEHOLDERS[name];
  const [, kind, rest = ''] = /^(http|cookie|arg|sent_http)_(\w+)$/.exec(name) ?? [];
  if (kind === 'http') return `{header.${fieldName(rest)}}`;
  if (kind === 'cookie') return `{cookie.${rest}}`;
  return kind === 'arg' ? `{query.${rest}}` : undefined;
}

/** `user_agent` is the field User-Agent. */
function fieldName(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('-');
}
