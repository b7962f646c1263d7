/**
 * The types of a configuration in TypeScript, from the table of settings and the schema of the site: src/api/config/settings.ts and others beside it. Each key
 * has its description as a comment, for editors and for the API reference. Needs a build.
 */
import { defaultText } from '../.build/src/cli/help.js';
import { COMMAND_SETTINGS } from '../.build/src/config/command-settings.js';
import { camelCase, fileKey } from '../.build/src/config/setting.js';
import { SETTINGS, settingNames } from '../.build/src/config/settings.js';
import { takes } from '../.build/src/config/value.js';
import { FEATURES } from '../.build/src/site/features.js';
import { definitionOf, takes as takenBy } from '../.build/src/site/schema/definition.js';
import { siteReference } from '../.build/src/site/schema/reference.js';
import { siteSchema } from '../.build/src/site/schema/site.js';

/** Tables whose names are not simply their key and "Config", and what they are where the description of their key does not say it. */
const TABLES = {
  '': { name: 'SiteConfig', text: 'Where requests go, and the handlers that all of them pass.' },
  apps: { name: 'ApplicationConfig', text: 'An application that routes name.' },
  hooks: { text: 'Functions of an application in Python, each one as MODULE:FUNCTION.' },
  'apps.hooks': { name: 'HooksConfig', text: 'Functions of an application in Python, each one as MODULE:FUNCTION.' },
  map: { text: 'A map: texts for the values of a text with placeholders.' },
  'map.pattern': { name: 'MapPatternConfig', text: 'A text of a map for values that match a pattern.' },
  process: { name: 'SidecarConfig', text: 'A program that runs beside the application, as long as the server.' },
  schedule: { text: 'A command that runs at certain times.' },
  route: { text: 'A route: the requests that it is for, the handlers that they pass, and what answers them.' },
  'route.static_options.cache_control': { name: 'CacheRuleConfig', text: 'A rule for Cache-Control.' },
  'route.when': { name: 'ConditionConfig', text: 'Comparisons of a text with placeholders. All of them must hold.' },
  'route.proxy': { name: 'BackendConfig', text: 'A backend, or a service discovery, with its share of the requests.' },
  'route.headers.request': { name: 'RequestHeadersConfig' },
  'route.rate_limit.per': { name: 'LimitPerConfig', text: 'Counts requests by the value of a request field.' },
  'route.request_limit.per': { name: 'LimitPerConfig', text: 'Counts requests by the value of a request field.' },
  'route.rewrite.query': { name: 'RewriteQueryConfig' },
  'tls.host': { name: 'TlsHostConfig', text: 'Certificates of certain hosts.' },
};

/** The file of each table, by the start of its path. The first that fits counts. */
const FILES = [
  ['route.proxy', 'proxy'],
  ['tls', 'tls'],
  ...FEATURES.map(({ key }) => [`route.${key}`, 'handlers']),
  ['route', 'route'],
  ['', 'site'],
];

/** Features of a route that a whole site can have, too. */
const SHARED = new Set(FEATURES.filter(({ scope }) => scope === 'site').map(({ key }) => key));
const REFERENCE = new Map(
  siteReference()
    .flatMap(({ sections }) => sections.flatMap(({ table, keys }) => [...(table === null ? [] : [table]), ...keys]))
    .map((key) => [key.path, key]),
);
const KEYS = new Set([...settingNames().map(fileKey), ...[...REFERENCE.keys()].flatMap((path) => path.split('.'))]);

/**
 * The files by their names in src/api/config, not formatted.
 *
 * @returns {Map<string, string>}
 */
export function configTypes() {
  const writer = new Writer();
  writer.interface('HandlersConfig', 'handlers', {
    text: 'Handlers that requests and responses pass. `true` is a handler with its defaults. `false` in a route switches off a handler of the whole site.',
    keys: Object.entries(siteSchema.shape).filter(([key]) => SHARED.has(key)),
    path: 'route',
  });
  writer.table(siteSchema, '');
  return new Map([['settings.ts', settingsFile()], ...writer.files()]);
}

const NOTE = '// Written by scripts/docs.mjs from src/config and src/site: do not edit.\n';

class Writer {
  /** The text of each interface, by its name. */
  #texts = new Map();
  /** The interfaces of each file, and the names that it uses. */
  #files = new Map();

  /** Writes the interface of a table, and returns its name. */
  table(schema, path) {
    const { name = `${pascal(path.split('.').at(-1))}Config`, text = REFERENCE.get(path)?.description } =
      TABLES[path] ?? {};
    const shares = path === '' || path === 'route';
    this.interface(name, fileOf(path), {
      text,
      parent: shares ? 'HandlersConfig' : null,
      keys: Object.entries(schema.shape).filter(([key]) => !(shares && SHARED.has(key))),
      path,
    });
    return name;
  }

  interface(name, file, { text, parent = null, keys, path }) {
    const used = new Set(parent === null ? [] : [parent]);
    const properties = keys.map(([key, schema]) => {
      const keyPath = join(path, key);
      const type = this.#type(schema, keyPath, used);
      return property(camelCase(key), commentOf(keyPath, type), type, {
        required: REFERENCE.get(keyPath).default === null,
      });
    });
    const extending = parent === null ? '' : ` extends ${parent}`;
    const body = `${comment([inTypeScript(text)], '')}export interface ${name}${extending} {\n${properties.join('')}}\n`;
    const known = this.#texts.get(name);
    if (known !== undefined && known !== body) throw new Error(`${path}: ${name} is the name of another table, too`);
    if (known !== undefined) return;
    this.#texts.set(name, body);
    const { names, uses } = this.#files.get(file) ?? { names: [], uses: new Set() };
    this.#files.set(file, { names: [...names, name], uses: new Set([...uses, ...used]) });
  }

  /** The type of the values that a schema takes. */
  #type(schema, path, used) {
    const use = (name) => {
      used.add(name);
      return name;
    };
    const { type, innerType, in: input, options, element, valueType, entries, values } = schema.def;
    if (path.endsWith('.middleware')) return `${use('OneOrMore')}<${use('MiddlewareConfig')}>`;
    if (type === 'object') return use(this.table(schema, path));
    if (type === 'array') return `readonly ${this.#type(element, path, used)}[]`;
    if (type === 'record') return `Readonly<Record<string, ${this.#type(valueType, path, used)}>>`;
    if (type === 'enum') return Object.values(entries).map(quoted).join(' | ');
    if (type === 'literal') return values.map(quoted).join(' | ');
    if (type === 'union') {
      const measure = /^a (time|size) /.exec(definitionOf(schema).error === undefined ? '' : takenBy(schema))?.[1];
      if (measure !== undefined) return use(measure === 'time' ? 'Duration' : 'Bytes');
      const [first, second] = options;
      if (first.def.type === 'array' && first.def.element === second) {
        return `${use('OneOrMore')}<${this.#type(second, path, used)}>`;
      }
      return [...new Set(options.map((option) => this.#type(option, path, used)))].join(' | ');
    }
    const inner = innerType ?? input;
    return inner === undefined ? type : this.#type(inner, path, used);
  }

  files() {
    const home = new Map([...this.#files].flatMap(([file, { names }]) => names.map((name) => [name, file])));
    return [...this.#files].map(([file, { names, uses }]) => {
      const imports = new Map();
      for (const name of [...uses].sort()) {
        const from = home.get(name) ?? 'values';
        if (from !== file) imports.set(from, [...(imports.get(from) ?? []), name]);
      }
      const lines = [...imports]
        .sort()
        .map(([from, all]) => `import type { ${all.join(', ')} } from './${from}.ts';\n`);
      return [`${file}.ts`, `${NOTE}${lines.join('')}\n${names.map((name) => this.#texts.get(name)).join('\n')}`];
    });
  }
}

function settingsFile() {
  const names = settingNames().filter((name) => name !== 'config');
  const list = (isOfCommand) => names.filter((name) => COMMAND_SETTINGS.has(name) === isOfCommand).map(settingProperty);
  return `${NOTE}import type { WorkersConfig } from './site.ts';
import type { Bytes, Duration, MiddlewareConfig, OneOrMore } from './values.ts';

/** Settings of any server. */
export interface ServerSettings {
${list(false).join('')}}

/** Settings of the command \`viaduct\`, which a server inside a program does not take. */
export interface CommandSettings {
${list(true).join('')}}
`;
}

function settingProperty(name) {
  const setting = SETTINGS[name];
  const help = setting.help.replace(/ Repeatable\./, '');
  const values = `Takes ${takes(setting)}. Default: ${defaultText(setting)}. ${setting.reason}`;
  return property(name, [help, values].map(inTypeScript), settingType(setting), { required: false });
}

/** The type of what a configuration can hold for a setting. */
function settingType(setting) {
  switch (setting.kind) {
    case 'integer':
      return setting.minSetting === undefined ? 'number' : RANGE_TYPE;
    case 'bytes':
      return 'Bytes';
    case 'duration':
      return 'Duration';
    case 'boolean':
      return 'boolean';
    case 'choice':
      return setting.choices.map(quoted).join(' | ');
    case 'path':
    case 'name':
    case 'command':
    case 'text':
      return 'string';
    case 'list':
      return LIST_TYPES[setting.item];
  }
}

const RANGE_TYPE = 'number | WorkersConfig';

const LIST_TYPES = {
  mount: 'Readonly<Record<string, string>> | readonly string[]',
  middleware: 'OneOrMore<MiddlewareConfig>',
  address: 'OneOrMore<string | number>',
  'plain-address': 'OneOrMore<string | number>',
  backend: 'OneOrMore<string>',
  range: 'OneOrMore<string>',
  variable: 'OneOrMore<string>',
};

/** The description of a key, and its values and default as far as type and description do not say them. */
function commentOf(path, type) {
  const { description, takes: all, default: unset } = REFERENCE.get(path);
  const values = all.replace(/, or a (?:list|table)$/, '');
  const isPlain = /^(?:true or false|true, false|a table|a list of tables|a text)$/.test(values) || LITERALS.test(type);
  const parts = [description, isPlain ? '' : `Takes ${values}.`, defaultSentence(unset)];
  return [inTypeScript(parts.filter((part) => part !== '').join(' '))];
}

/** Types whose values need no words. */
const LITERALS = /^(?:OneOrMore<)?(?:(?:'[^']*'|\d+|false)(?: \| )?)+>?$/;

function defaultSentence(unset) {
  const text = unset === null ? 'none' : 'words' in unset ? unset.words : `\`${unset.toml}\``;
  if (['none', '`[]`', '`{}`'].includes(text)) return '';
  return `Default: ${text.replaceAll('"', "'")}.`;
}

/** A text about TOML with the keys of TypeScript, and without the headers of tables. */
function inTypeScript(text) {
  return text
    .replace(/\{ (\w+) = "…" \}/g, "`{ $1: '…' }`")
    .replace(/, each in a table \[+[^\]]*\]+/, '')
    .replace(/\[([a-z_]+)\]/g, (header, key) => (KEYS.has(key) ? `\`${key}\`` : header))
    .replace(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g, (word) => (KEYS.has(word) ? camelCase(word) : word));
}

function property(name, paragraphs, type, { required }) {
  return `${comment(paragraphs, '  ')}  readonly ${name}${required ? '' : '?'}: ${type}${required ? '' : ' | undefined'};\n`;
}

function comment(paragraphs, indent) {
  const filled = paragraphs.filter((text) => text !== '').map((text) => wrapped(text, 115 - indent.length));
  const [only = []] = filled;
  if (filled.length === 1 && only.length === 1) return `${indent}/** ${only[0]} */\n`;
  const lines = filled.flatMap((text, index) => (index === 0 ? text : ['', ...text]));
  return `${indent}/**\n${lines.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`).join('')}${indent} */\n`;
}

function wrapped(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function fileOf(path) {
  return FILES.find(
    ([start]) => path === start || start === '' || path.startsWith(`${start}.`) || isProxy(path, start),
  )[1];
}

/** `route.proxy` is the start of `route.proxy_options`, too. */
function isProxy(path, start) {
  return start === 'route.proxy' && path.startsWith(start);
}

function join(path, key) {
  return path === '' ? (SHARED.has(key) ? `route.${key}` : key) : `${path}.${key}`;
}

function pascal(key) {
  const name = camelCase(key);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function quoted(value) {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
