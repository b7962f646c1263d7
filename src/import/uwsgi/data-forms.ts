import { refused } from '../refused.ts';
import type { WrittenOption } from './option.ts';

const COMMENT = /<!--[\s\S]*?-->/g;
const ELEMENT = /<([\w-]+)\s*(?:\/>|>([^<]*)<\/\1\s*>)/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/**
 * Reads the element `<uwsgi>` of an XML file: `<socket>:3031</socket>`, `<master/>`.
 *
 * @throws ViaductError `SETTINGS` with the line that has anything else
 */
export function readXml(text: string, file: string): WrittenOption[] {
  const plain = text.replace(COMMENT, (comment) => comment.replace(/[^\n]/g, ' '));
  const root = /<uwsgi(?:\s[^>]*)?>/.exec(plain);
  const end = plain.lastIndexOf('</uwsgi>');
  if (root === null || end < 0) throw refused({ file, line: 1 }, 'there is no element <uwsgi>');
  const options: WrittenOption[] = [];
  const start = root.index + root[0].length;
  let at = start;
  const lineAt = (index: number): number => plain.slice(0, index).split('\n').length;
  const between = (until: number): void => {
    const rest = plain.slice(at, until);
    const other = rest.search(/\S/);
    if (other >= 0)
      throw refused({ file, line: lineAt(at + other) }, `"${rest.trim().slice(0, 40)}" is not an element with a text`);
  };
  for (const match of plain.slice(start, end).matchAll(ELEMENT)) {
    const index = start + match.index;
    between(index);
    at = index + match[0].length;
    const [whole, key = '', content] = match;
    const written = (content ?? 'true').trim().replace(/&(\w+);/g, (entity, name: string) => ENTITIES[name] ?? entity);
    options.push({ file, line: lineAt(index), text: whole.replace(/\s+/g, ' '), key, written });
  }
  between(end);
  return options;
}

/**
 * Reads the member `uwsgi` of a JSON file. An array gives an option for each item.
 *
 * @throws ViaductError `SETTINGS` if it is not JSON, or has no such object
 */
export function readJson(text: string, file: string): WrittenOption[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refused({ file, line: 1 }, (error as Error).message);
  }
  const members = (document as { uwsgi?: unknown } | null)?.uwsgi;
  if (typeof members !== 'object' || members === null) throw refused({ file, line: 1 }, 'there is no object "uwsgi"');
  const lines = text.split('\n');
  return Object.entries(members).flatMap(([key, value]) => {
    const found = lines.findIndex((line) => line.includes(`${JSON.stringify(key)}`));
    const place = { file, line: found + 1 };
    const items: unknown[] = Array.isArray(value) ? value : [value];
    return items.map((item) => ({ ...place, text: `"${key}": ${JSON.stringify(item)}`, key, written: String(item) }));
  });
}

/**
 * Reads the mapping `uwsgi` of a YAML file, as uWSGI's own reader does: a key and a value on each line, or a list below the key.
 *
 * @throws ViaductError `SETTINGS` with the line that is neither
 */
export function readYaml(text: string, file: string): WrittenOption[] {
  const options: WrittenOption[] = [];
  let isInside = false;
  let hasMapping = false;
  let list = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    const line = raw.replace(/\s+#.*$|^#.*$/, '').trimEnd();
    if (line.trim() === '' || line === '---' || line === '...') continue;
    if (!/^\s/.test(line) && !(isInside && line.startsWith('- '))) {
      isInside = line === 'uwsgi:';
      hasMapping ||= isInside;
      continue;
    }
    if (!isInside) continue;
    const item = /^\s*-\s+(.*)$/.exec(line);
    const pair = /^\s+(["']?)([\w-]+)\1\s*:(?:\s+(.*))?$/.exec(line);
    if (item !== null && list !== '')
      options.push({ ...place, text: line.trim(), key: list, written: unquoted(item[1]) });
    else if (pair !== null && (pair[3] ?? '') === '') list = pair[2] ?? '';
    else if (pair !== null) {
      list = '';
      options.push({ ...place, text: line.trim(), key: pair[2] ?? '', written: unquoted(pair[3]) });
    } else throw refused(place, `"${line.trim().slice(0, 40)}" is neither a key with a value nor an item of a list`);
  }
  if (!hasMapping) throw refused({ file, line: 1 }, 'there is no mapping "uwsgi"');
  return options;
}

function unquoted(text = ''): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}
