import type { z } from 'zod';
import { nearest } from '../nearest.ts';
import { show } from '../setting-input.ts';
import { keyName, type Place, placeOf, type SiteEntries } from './keys.ts';
import { type Site, siteSchema } from './schema.ts';

/**
 * Validates what settings files hold beside settings. Each mistake is added to `mistakes`, a line each, with its place.
 *
 * @returns null when there was one
 */
export function readSite(site: SiteEntries, mistakes: string[]): Site | null {
  const entries = Object.fromEntries([...site].map(([key, { value }]) => [key, value]));
  const place = placeOf(site);
  const parsed = siteSchema.safeParse(entries);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues.flatMap(innermost)) {
    for (const line of mistakesOf(issue, entries, place)) if (!mistakes.includes(line)) mistakes.push(line);
  }
  return null;
}

type Issue = z.core.$ZodIssue;

/** Of alternatives the one that got furthest is what was meant. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.map((issues) => issues.flatMap(innermost));
  const depth = (issues: readonly Issue[]) =>
    Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
  const deepest = branches.reduce<Issue[]>((best, branch) => (depth(branch) > depth(best) ? branch : best), []);
  if (deepest.length === 0) return [issue];
  return deepest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue);
}

function mistakesOf(issue: Issue, entries: unknown, place: Place): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const keys = [...issue.path, key];
      const meant = nearest(key, knownKeys(issue.path));
      const hint = meant === null ? '' : `; did you mean ${meant}?`;
      return `Cannot use ${keyName(keys)} (${place(keys.map(String))}): there is no such key${hint}`;
    });
  }
  const value = valueAt(entries, issue.path);
  const where = place(issue.path.map(String));
  const name = keyName(issue.path);
  if (value === undefined)
    return [`Cannot use ${keyName(issue.path.slice(0, -1))} (${where}): it needs ${String(issue.path.at(-1))}`];
  return [`Cannot use ${name} = ${show(value)} (${where}): it ${issue.message}`];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** The keys that a table takes, for "did you mean". */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = siteSchema;
  for (const key of path) schema = inside(schema, key);
  return Object.keys(shapeOf(schema));
}

interface Definition {
  readonly shape?: Record<string, unknown>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
}

function definition(schema: unknown): Definition {
  return (schema as { readonly def?: Definition } | undefined)?.def ?? {};
}

/** The schema below defaults, pipes and alternatives that has `pick`. */
function unwrapped<T>(schema: unknown, pick: (of: Definition) => T | undefined): T | undefined {
  const of = definition(schema);
  const found = pick(of);
  if (found !== undefined) return found;
  for (const inner of [of.innerType, of.in, ...(of.options ?? [])]) {
    const below = inner === undefined ? undefined : unwrapped(inner, pick);
    if (below !== undefined) return below;
  }
  return undefined;
}

function shapeOf(schema: unknown): Record<string, unknown> {
  return unwrapped(schema, ({ shape }) => shape) ?? {};
}

function inside(schema: unknown, key: PropertyKey): unknown {
  return typeof key === 'number'
    ? unwrapped(schema, ({ element }) => element)
    : (shapeOf(schema)[String(key)] ?? unwrapped(schema, ({ valueType }) => valueType));
}
