import { ViaductError } from '../errors.ts';
import { isHost } from '../http/semantics/host.ts';
import { RangeTable } from '../http/semantics/range-table.ts';
import { Pattern } from '../routing/pattern.ts';
import { hostName, namesFor } from '../routing/router.ts';
import { bytesOf, textOf } from './bytes.ts';
import {
  type Groups,
  type MapMatch,
  type MapText,
  NO_GROUPS,
  NO_VALUES,
  type Placeholder,
  type PlaceholderMap,
} from './placeholder.ts';
import type { Placeholders } from './placeholders.ts';
import { fillTemplate, isPlain, namesIn, parseTemplate, type Template } from './template.ts';

/** A map: texts for the values of `source`. Its placeholder is `{map.NAME}`. Its texts may have placeholders, too. */
export interface MapOptions {
  /** The text with placeholders whose value is looked up. */
  readonly source: string;
  /** Texts for exact values. They are looked up first. */
  readonly values?: Readonly<Record<string, string>>;
  /** Whether `values` ignore the case of ASCII letters. No by default. */
  readonly caseless?: boolean;
  /** Texts for hosts, with or without a port: `example.org`, or `*.example.org` for all names below it. The longest name wins. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Texts for addresses of clients: ranges such as `10.0.0.0/8`, addresses, `private`, `loopback`, `unix`, `all`. The longest prefix wins. */
  readonly ranges?: Readonly<Record<string, string>>;
  /** Texts for values that match a regular expression; the first that matches. Its groups are placeholders in its text. */
  readonly patterns?: readonly MapPattern[];
  /** The text for all other values; nothing by default. */
  readonly default?: string;
}

/** A text for the values that match a regular expression. */
export interface MapPattern {
  /** Regular expression for the value as text. */
  readonly pattern: string;
  /** The text, with the groups as `{1}` and so on, or by their names. */
  readonly value: string;
}

/** All texts of a map that may have placeholders. */
export function textsOf({ source, patterns = [], default: other = '', ...tables }: MapOptions): string[] {
  const exact = [tables.values, tables.hosts, tables.ranges].flatMap((table) => Object.values(table ?? {}));
  return [source, ...exact, ...patterns.map(({ value }) => value), other];
}

/**
 * Makes the placeholder of a map. An exact value, a host and an address cost a look-up in a table; the patterns cost a match each until one matches.
 *
 * @throws ViaductError `SETTINGS` for a placeholder that does not exist, a source without one, an invalid range, and an invalid pattern
 */
export function compileMap(name: string, options: MapOptions, placeholders: Placeholders): Placeholder {
  const {
    source,
    values = {},
    caseless = false,
    hosts = {},
    ranges = {},
    patterns = [],
    default: other = '',
  } = options;
  const texts: MapText[] = [];
  const templates: Template[] = [];
  const add = (text: string, setting: string, groups: Groups = NO_GROUPS): MapMatch => {
    texts.push({ text, groups });
    templates.push(parseTemplate(bytesOf(text), placeholders, { setting, groups }));
    return { index: texts.length - 1, groups: NO_VALUES };
  };
  const entries = (table: Readonly<Record<string, string>>, key: string, keyOf: (text: string) => string) =>
    new Map(Object.entries(table).map(([value, text]) => [keyOf(value), add(text, `map.${name}.${key}`)]));

  const key = parseTemplate(bytesOf(source), placeholders, { setting: `map.${name}.source` });
  if (isPlain(key)) {
    throw new ViaductError(
      'SETTINGS',
      `Cannot use map.${name}.source ${JSON.stringify(source)}: it has no placeholder`,
      {
        advice: 'Write the placeholder whose value is looked up, such as {hostname}.',
      },
    );
  }
  const isEncoded = key.every((piece) => typeof piece === 'string' || (piece.isEncoded && piece.map === undefined));
  const exactKey = caseless ? lowerCase : (text: string) => text;
  const exact = entries(values, 'values', (text) => exactKey(bytesOf(text)));
  const byHost = entries(hosts, 'hosts', (host) => host.toLowerCase());
  const byRange = new RangeTable(entries(ranges, 'ranges', (range) => range));
  const hasRanges = Object.keys(ranges).length > 0;
  const byPattern = patterns.map(({ pattern: text, value }) => {
    const pattern = new Pattern(text, `map.${name}.patterns`);
    const groups = { names: pattern.groupNames, areEncoded: isEncoded };
    const needsGroups = namesIn(value).some((one) => /^\d/.test(one) || pattern.groupNames.includes(one));
    return { pattern, needsGroups, match: add(value, `map.${name}.patterns`, groups) };
  });
  const fallback = add(other, `map.${name}.default`);

  const find: PlaceholderMap['find'] = (request, answer) => {
    const value = fillTemplate(key, request, answer);
    const found =
      exact.get(exactKey(value)) ??
      (byHost.size > 0 ? hostIn(byHost, value) : undefined) ??
      (hasRanges ? byRange.get(value) : undefined);
    if (found !== undefined) return found;
    const text = byPattern.length > 0 ? textOf(value) : '';
    for (const { pattern, needsGroups, match } of byPattern) {
      if (!pattern.test(text)) continue;
      return needsGroups ? { index: match.index, groups: (pattern.match(text) ?? []).map(bytesOf) } : match;
    }
    return fallback;
  };
  return {
    name: `map.${name}`,
    from: 'request',
    isEncoded: true,
    value: (request, answer) => {
      const { index, groups } = find(request, answer);
      return fillTemplate(templates[index] as Template, request, answer, groups);
    },
    map: { texts, find },
  };
}

function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function hostIn(table: ReadonlyMap<string, MapMatch>, value: string): MapMatch | undefined {
  if (!isHost(value)) return undefined;
  for (const name of namesFor(hostName(value))) {
    const match = table.get(name);
    if (match !== undefined) return match;
  }
  return undefined;
}
