import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { ConfigBuilder, Value } from '../config-builder.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Option } from './option.ts';

const MAPS = /^(?:static-map2?|check-static|docroot)$/;
const EXPIRES = /^static-expires(?:-uri|-mtime|-uri-mtime|-path-info|-path-info-mtime)?$/;

export function isStatic({ name }: Option): boolean {
  return MAPS.test(name) || EXPIRES.test(name) || name === 'static-index';
}

/** Writes the directories and files that uWSGI serves itself. Where files have options, or several directories, they become routes. */
export function writeStatic(options: readonly Option[], context: WsgiContext): void {
  const { builder, report } = context;
  const rules = options.filter(({ name }) => EXPIRES.test(name)).flatMap((option) => ruleOf(option, context));
  const indexes = options.filter(({ name }) => name === 'static-index');
  for (const option of indexes) report.took(option);
  const maps = options.filter(({ name }) => MAPS.test(name)).flatMap((option) => mapOf(option, context) ?? []);
  for (const { option } of maps) report.took(option);
  for (const map of maps.filter(({ isFile }) => isFile)) writeFile(map, rules, builder);
  const directories = maps.filter(({ isFile }) => !isFile);
  for (const url of new Set(directories.map((map) => map.url))) {
    const all = directories.filter((map) => map.url === url);
    const [first] = all;
    if (first !== undefined && all.length === 1 && rules.length === 0 && indexes.length === 0) addMount(first, context);
    else writeDirectories(url, all, rules, indexes, builder);
  }
}

/** uWSGI tries all directories of a prefix, and then the application. */
function writeDirectories(
  url: string,
  all: readonly StaticMap[],
  rules: readonly Rule[],
  indexes: readonly Option[],
  builder: ConfigBuilder,
): void {
  const from = all.map(({ option }) => option);
  const route = builder.append('route');
  route.set('path', `${url}*`, ...from);
  const paths = all.map(({ path }) => path);
  route.set('static', paths.length === 1 ? (paths[0] as string) : paths, ...from);
  route.set('app', 'main', ...from);
  const files = indexes.map(({ value }) => value);
  route.table('static_options').set('index', files.length > 0 ? files : false, ...indexes);
  addRules(route, rules);
}

function writeFile({ url, path, option }: StaticMap, rules: readonly Rule[], builder: ConfigBuilder): void {
  const route = builder.append('route');
  route.set('path', url, option);
  route.set('static', dirname(path), option);
  route.set('app', 'main', option);
  if (basename(path) !== basename(url)) route.table('static_options').set('try_files', [basename(path)], option);
  addRules(route, rules);
}

function addRules(route: ConfigBuilder, rules: readonly Rule[]): void {
  if (rules.length === 0) return;
  const values = rules.map(({ rule }) => rule);
  route.table('static_options').set('cache_control', values, ...rules.map(({ option }) => option));
}

interface StaticMap {
  readonly option: Option;
  /** The path of the file, or the prefix of the directory with a slash at its end. */
  readonly url: string;
  /** The directory or file, for the settings file. */
  readonly path: string;
  readonly isFile: boolean;
}

function mapOf(option: Option, { report, pathOf, output }: WsgiContext): StaticMap | null {
  const { name, value } = option;
  if (name === 'check-static' || name === 'docroot') return { option, url: '/', path: pathOf(value), isFile: false };
  const [, url = '', written = ''] = /^(\/[^=]*)=(.+)$/.exec(value) ?? [];
  if (written === '' || /[?#\s*]|\/\/|\/\.\.?(?:\/|$)/.test(url)) {
    report.lost(option, 'it is not /url=DIRECTORY');
    return null;
  }
  // static-map2 adds the whole path to the directory
  const path = pathOf(name === 'static-map2' ? `${written.replace(/\/+$/, '')}${url}` : written);
  const isFile = !url.endsWith('/') && (isFileAt(resolve(output, path)) || /\.\w+$/.test(url));
  return { option, url: isFile || url.endsWith('/') ? url : `${url}/`, path, isFile };
}

function addMount({ url, path, option }: StaticMap, { builder, report }: WsgiContext): void {
  builder.table('static').set(url, path, option);
  if (url !== '/')
    report.differs(
      option,
      'the application gets no request below it: a path without a file gets 404, and a method other than GET and HEAD 405',
    );
}

interface Rule {
  readonly rule: Value;
  readonly option: Option;
}

/** `static-expires = REGEX SECONDS`. A rule of ours is a glob, so only simple expressions have one. */
function ruleOf(option: Option, { report }: WsgiContext): Rule[] {
  const [, regex = '', seconds = ''] = /^(\S+)\s+(\d+)$/.exec(option.value.trim()) ?? [];
  const glob = globOf(regex);
  if (glob === null) {
    report.lost(option, 'write its files as a glob into cache_control in static_options of a route');
    return [];
  }
  report.took(option);
  return [{ rule: { pattern: glob, value: `max-age=${seconds}` }, option }];
}

const ALL = /^(?:\^?\/?(?:\.\*|\*|\(\.\*\))?\$?)$/;

function globOf(regex: string): string | null {
  if (regex !== '' && ALL.test(regex)) return '*';
  const [, endings] = /^\^?(?:\.\*|\(\.\*\)|\/\*|\/\.\*)?\\\.\(?((?:\w+\|)*\w+)\)?\$?$/.exec(regex) ?? [];
  if (endings === undefined) return null;
  const all = endings.split('|');
  return all.length === 1 ? `*.${endings}` : `*.{${all.join(',')}}`;
}

function isFileAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
