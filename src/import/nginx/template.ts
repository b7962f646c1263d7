import { templateOfPlain } from '../../placeholders/template.ts';

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
  realip_remote_addr: '{client.address}',
  request_method: '{method}',
};

export interface TemplateOptions {
  /** The value of `$server_name`. */
  readonly serverName?: string | undefined;
  /** Names of the groups of a pattern, in order; '' for a group without a name. */
  readonly groups?: readonly string[];
}

/** A text, or the name of a variable that has no counterpart. */
export type Template = { readonly text: string } | { readonly unknown: string };

/** Replaces variables in a text by placeholders. */
export function templateOf(text: string, { serverName, groups = [] }: TemplateOptions = {}): Template {
  const joined = text.replaceAll('$uri$is_args$args', '$request_uri').replaceAll('$is_args$args', '?$args');
  const parts = joined.split(/\$(?:\{(\w+)\}|(\w+))/);
  let filled = '';
  for (let index = 0; index < parts.length; index += 3) {
    filled += templateOfPlain(parts[index] ?? '');
    const name = parts[index + 1] ?? parts[index + 2];
    if (name === undefined) continue;
    const value = name === 'server_name' ? serverName : valueOfVariable(name, groups);
    if (value === undefined) return { unknown: `$${name}` };
    filled += value;
  }
  return { text: filled };
}

/** Whether a text contains variables. */
export function hasVariables(text: string): boolean {
  return /\$(?:\{\w+\}|\w+)/.test(text);
}

function valueOfVariable(name: string, groups: readonly string[]): string | undefined {
  const named = groups.indexOf(name);
  if (named >= 0) return `{${named + 1}}`;
  if (/^[1-9]$/.test(name)) return Number(name) <= groups.length ? `{${name}}` : undefined;
  return Object.hasOwn(PLACEHOLDERS, name) ? PLACEHOLDERS[name] : undefined;
}
