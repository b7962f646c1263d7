import type { HeaderList } from '../../http/message.ts';

/**
 * `headers` without the fields `names` (lower case). A name with `_` counts as the name with `-`, because both become the same CGI variable. Otherwise a client
 * could send a field in the name of a handler.
 */
export function withoutFields(headers: HeaderList, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.has(name.toLowerCase().replaceAll('_', '-'))) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}
