import { ViaductError } from '../../errors.ts';
import type { Request } from '../../http/message.ts';
import { hostname } from './hostname.ts';

/** The values of placeholders such as `{host}`. They are as the client sent them, so paths and queries are percent-encoded. */
const PLACEHOLDERS: Readonly<Record<string, (request: Request) => string>> = {
  host: ({ host }) => host,
  hostname: ({ host }) => hostname(host),
  path: ({ path }) => path,
  query: ({ query }) => query,
  uri: ({ path, query }) => (query === '' ? path : `${path}?${query}`),
  method: ({ method }) => method,
  scheme: ({ peer }) => (peer.secure ? 'https' : 'http'),
  remote_address: ({ peer }) => peer.remoteAddress,
};

/** Text and placeholders in turns: text, name, text, … Braces without a lower-case word or number inside are text. */
export type TemplateParts = readonly string[];

/**
 * Splits `text` into text and placeholders. `captures` is the number of groups of a pattern, which are the placeholders `{1}`, `{2}`, … `setting` is the name for
 * messages.
 *
 * @throws ViaductError `SETTINGS` for an unknown placeholder
 */
export function parseTemplate(text: string, setting: string, captures = 0): TemplateParts {
  const parts = text.split(/\{([a-z_]+|\d+)\}/);
  for (let i = 1; i < parts.length; i += 2) {
    const name = parts[i] as string;
    const exists = /^\d/.test(name)
      ? `${Number(name)}` === name && Number(name) >= 1 && Number(name) <= captures
      : Object.hasOwn(PLACEHOLDERS, name);
    if (exists) continue;
    const all = [...Object.keys(PLACEHOLDERS), ...Array.from({ length: captures }, (_, index) => `${index + 1}`)];
    throw new ViaductError(
      'SETTINGS',
      `Cannot use {${name}} in ${setting} ${JSON.stringify(text)}: there is no such placeholder`,
      {
        advice: `Write one of ${all.map((known) => `{${known}}`).join(' ')}.`,
      },
    );
  }
  return parts;
}

/** The value of the placeholder `name`, which `parseTemplate` has accepted. `captures` are the groups of a match, from `{1}` on. */
export function placeholderValue(name: string, request: Request, captures: readonly string[] = []): string {
  const value = PLACEHOLDERS[name];
  return value === undefined ? (captures[Number(name) - 1] ?? '') : value(request);
}

/** The text of `parts` with the values of `request`. */
export function fillTemplate(parts: TemplateParts, request: Request): string {
  let text = parts[0] as string;
  for (let i = 1; i < parts.length; i += 2) {
    text += placeholderValue(parts[i] as string, request) + (parts[i + 1] as string);
  }
  return text;
}
