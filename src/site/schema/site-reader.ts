import type { z } from 'zod';
import { fileKey } from '../../config/setting.ts';
import { formatRawValue } from '../../config/setting-input.ts';
import { settingNames } from '../../config/settings.ts';
import { type SiteEntries, type SiteReader, type SourceLocation, sourceLocationOf } from '../../config/site-entries.ts';
import { unknownKeyMessage } from '../../config/unknown-key.ts';
import { camelCaseKeys } from './camel-case.ts';
import { keysOf, schemaAt } from './definition.ts';
import { parseSite, type Site, siteSchema } from './site.ts';

export const siteReader: SiteReader<Site> = {
  keys: new Set(Object.keys(siteSchema.shape)),
  read: readSite,
  camelCase: camelCaseKeys,
};

/**
 * Validates the keys of the site. Adds a line with its location to `errors` for each error.
 *
 * @returns null if there is an error
 */
function readSite(site: SiteEntries, errors: string[]): Site | null {
  const entries = Object.fromEntries([...site].map(([key, { value }]) => [key, value]));
  const written = Object.fromEntries([...site].map(([key, entry]) => [key, entry.written]));
  const locate = sourceLocationOf(site);
  const parsed = parseSite(entries);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues.flatMap(innermost)) {
    for (const line of errorLines(issue, entries, written, locate)) if (!errors.includes(line)) errors.push(line);
  }
  return null;
}

/** In TOML a key below the head of a table belongs to that table, also where the whole file is meant. */
const topKeys: ReadonlySet<string> = new Set([...settingNames().map(fileKey), ...siteReader.keys]);

type Issue = z.core.$ZodIssue;

/** The issues of the alternative that was probably meant: the one that accepted most of the value. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.map((issues) => issues.flatMap(innermost));
  const depth = (issues: readonly Issue[]) =>
    Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
  const deepest = branches.reduce<Issue[]>((best, branch) => (depth(branch) > depth(best) ? branch : best), []);
  if (deepest.length === 0) return [issue];
  return deepest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue);
}

function errorLines(issue: Issue, entries: unknown, written: unknown, locate: SourceLocation): string[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(keysOf(schemaAt(siteSchema, path)));
    return issue.keys.map((key) => {
      const shown = locate.describe([...path, key]);
      if (topKeys.has(key)) return `Cannot use ${shown}: there is no such key here; write ${key} above all tables`;
      return unknownKeyMessage(shown, key, known);
    });
  }
  if (issue.code === 'invalid_key') {
    return [`Cannot use ${locate.describe(path)}: its name ${issue.issues[0]?.message}`];
  }
  if (valueAt(entries, path) === undefined) {
    return [`Cannot use ${locate.describe(path.slice(0, -1))}: it needs the key ${String(locate.spell(path).at(-1))}`];
  }
  const value = formatRawValue(valueAt(written, [path[0] ?? '', ...locate.spell(path).slice(1)]));
  return [`Cannot use ${locate.describe(path, ` = ${value}`)}: it ${issue.message}`];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
