import { formatBytes, formatDuration } from '../../config/units.ts';
import { FEATURES } from '../features.ts';
import { definitionOf, keysOf, pickWithin, takes } from './definition.ts';
import { routeChecks, routeContent, routeLog, routeMatch, routeTrace } from './route.ts';
import { siteSchema } from './site.ts';
import { PARSING } from './tools.ts';

/** A key of `viaduct.toml` for docs/configuration.md. */
export interface KeyReference {
  /** The path from the top of the file: `route.rate_limit.per.header`. */
  readonly path: string;
  /** The path from the section's table: `per.header`. */
  readonly name: string;
  /** The values that the key takes, in words. */
  readonly takes: string;
  /** The default as TOML or in words; null for a required key. */
  readonly default: { readonly toml: string } | { readonly words: string } | null;
  readonly description: string;
}

/** All or some of the keys of one table. */
export interface ReferenceSection {
  readonly title: string;
  /** The path of the table from the top of the file: `route.proxy_options`. */
  readonly path: string;
  /** The page of docs/ that explains the keys. */
  readonly page: string;
  /** The table itself as a key; null at the top. */
  readonly table: KeyReference | null;
  readonly keys: readonly KeyReference[];
}

export interface ReferenceGroup {
  readonly title: string;
  readonly sections: readonly ReferenceSection[];
}

/** Every key of `viaduct.toml` that is not a setting, in groups. The keys of a small table are in the section of the outer table. */
export function siteReference(): readonly ReferenceGroup[] {
  return GROUPS.map(({ title, sections }) => ({ title, sections: sections.map(sectionOf) }));
}

interface SectionPlan {
  readonly title: string;
  readonly path: string;
  readonly page: string;
  /** The keys of the table that belong to this section; all keys if absent. */
  readonly only?: readonly string[];
}

const FEATURE_KEYS: ReadonlySet<string> = new Set(FEATURES.map(({ key }) => key));
const TOP_KEYS = Object.keys(siteSchema.shape).filter((key) => !FEATURE_KEYS.has(key));

const GROUPS: readonly { readonly title: string; readonly sections: readonly SectionPlan[] }[] = [
  { title: 'Top level', sections: [{ title: '', path: '', page: 'routes.md', only: TOP_KEYS }] },
  {
    title: 'Applications',
    sections: [
      plan('[apps.NAME]', 'apps', 'routes.md#applications'),
      plan('[hooks]', 'hooks', 'hooks.md'),
      plan('[reload]', 'reload', 'releases.md'),
    ],
  },
  {
    title: 'Sidecars and schedules',
    sections: [
      plan('[[process]]', 'process', 'processes.md#sidecars'),
      plan('[[schedule]]', 'schedule', 'processes.md#schedules'),
    ],
  },
  {
    title: 'Routes',
    sections: [
      plan('[[route]]: which requests', 'route', 'routes.md#what-a-route-matches', Object.keys(routeMatch)),
      plan('[[route]]: what answers', 'route', 'routes.md#what-answers', Object.keys(routeContent)),
      plan('[[route]]: who may come in', 'route', 'handlers.md#satisfy', Object.keys(routeChecks)),
      plan('[[route]]: what is logged', 'route', 'logging.md#fewer-lines', Object.keys(routeLog)),
      plan('[[route]]: what is recorded', 'route', 'tracing.md#which-requests-are-recorded', Object.keys(routeTrace)),
      plan('[route.access_log]', 'route.access_log', 'logging.md#fewer-lines'),
      plan('[route.static_options]', 'route.static_options', 'static-files.md#options-of-a-mount'),
      plan('[route.redirect]', 'route.redirect', 'handlers.md#redirect'),
      plan('[route.respond]', 'route.respond', 'routes.md#what-answers'),
      plan('[[route.proxy]]', 'route.proxy', 'reverse-proxy.md#several-backends'),
      plan('[route.proxy_options]', 'route.proxy_options', 'reverse-proxy.md#options'),
      plan('[route.proxy_options.discovery]', 'route.proxy_options.discovery', 'discovery-backends.md'),
      plan('[route.proxy_options.sticky]', 'route.proxy_options.sticky', 'reverse-proxy.md#sticky-sessions'),
      plan('[route.proxy_options.health]', 'route.proxy_options.health', 'reverse-proxy.md'),
    ],
  },
  { title: 'Maps', sections: [plan('[map.NAME]', 'map', 'placeholders.md#maps')] },
  { title: 'Handlers', sections: FEATURES.map(({ key, page }) => plan(key, `route.${key}`, page)) },
  { title: 'Traces', sections: [plan('[trace]', 'trace', 'tracing.md')] },
  {
    title: 'HTTPS',
    sections: [plan('[tls]', 'tls', 'tls.md'), plan('[[tls.host]]', 'tls.host', 'tls.md#several-hosts')],
  },
];

const SECTION_PATHS: ReadonlySet<string> = new Set(GROUPS.flatMap(({ sections }) => sections.map(({ path }) => path)));

function plan(title: string, path: string, page: string, only?: readonly string[]): SectionPlan {
  return { title, path, page, ...(only === undefined ? {} : { only }) };
}

function sectionOf({ title, path, page, only }: SectionPlan): ReferenceSection {
  const names = path === '' ? [] : path.split('.');
  const schema = names.reduce<unknown>((table, name) => tableKeys(table)[name], siteSchema);
  const keys = keyReferences(schema, names, []).filter(
    ({ name }) => only === undefined || only.includes(firstOf(name)),
  );
  const table = path === '' ? null : keyReference(schema, names, [names.at(-1) ?? '']);
  return { title, path, page, table, keys };
}

/** The keys of a table. `outer` leads to the section, and `inner` from there to the table. A table with a section of its own is one key. */
function keyReferences(schema: unknown, outer: readonly string[], inner: readonly string[]): KeyReference[] {
  return Object.entries(tableKeys(schema)).flatMap(([key, value]) => {
    const names = [...inner, key];
    const path = [...outer, ...names];
    const reference = keyReference(value, path, names);
    return SECTION_PATHS.has(path.join('.')) ? [reference] : [reference, ...keyReferences(value, outer, names)];
  });
}

function keyReference(schema: unknown, path: readonly string[], names: readonly string[]): KeyReference {
  const { description = '', defaultText } = (schema as Described).meta() ?? {};
  return {
    path: path.join('.'),
    name: names.join('.'),
    takes: takes(schema),
    default: defaultText === undefined ? defaultOf(schema, path.at(-1) ?? '') : { words: defaultText },
    description,
  };
}

/** The methods of every zod schema. */
interface Described {
  meta(): { readonly description?: string; readonly defaultText?: string } | undefined;
  safeParse(value: unknown, context: object): { readonly success: boolean };
}

function defaultOf(schema: unknown, key: string): KeyReference['default'] {
  const value = outerDefault(schema);
  if (value !== undefined) return { toml: formatDefault(key, value) };
  return (schema as Described).safeParse(undefined, PARSING).success ? { words: 'none' } : null;
}

/** The default of the schema itself, not of an alternative inside it. */
function outerDefault(schema: unknown): unknown {
  const { defaultValue, innerType } = definitionOf(schema);
  return defaultValue === undefined && innerType !== undefined ? outerDefault(innerType) : defaultValue;
}

/** The default as TOML. The name of the key contains the unit. */
function formatDefault(key: string, value: unknown): string {
  if (typeof value !== 'number' || value === 0) return JSON.stringify(value);
  if (/_ms(?:_|$)/.test(key)) return JSON.stringify(formatDuration(value));
  return key.includes('bytes') ? JSON.stringify(formatBytes(value)) : `${value}`;
}

/** The keys of a table, of the tables in a list, or of the tables in a table with any keys. */
function tableKeys(schema: unknown): Readonly<Record<string, unknown>> {
  const keys = keysOf(schema);
  if (Object.keys(keys).length > 0) return keys;
  const inner = pickWithin(schema, ({ element, valueType }) => element ?? valueType);
  return inner === undefined ? {} : tableKeys(inner);
}

function firstOf(name: string): string {
  return name.split('.', 1)[0] ?? '';
}
