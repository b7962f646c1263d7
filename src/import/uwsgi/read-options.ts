import { existsSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import type { Statement } from '../import-report.ts';
import { readText } from '../read-text.ts';
import { refused } from '../refused.ts';
import type { Source } from '../source.ts';
import { readJson, readXml, readYaml } from './data-forms.ts';
import { readIni } from './ini.ts';
import { nameOfKey, type Option, type WrittenOption } from './option.ts';

const OPTIONS_MAX = 10_000;
const LENGTH_MAX = 64 * 1024;
const DEPTH_MAX = 16;
const INCLUDES = /^(?:ini|include|inherit|xml|yaml|yml|json|config)$/;

/** The state of a reading: what follows knows what came before. */
interface Reading {
  readonly source: Pick<Source, 'path' | 'shown' | 'show' | 'text'>;
  readonly values: Map<string, string>;
  readonly options: Option[];
  /** The conditions of the blocks that are open. */
  readonly conditions: string[];
  /** The words of the loop that is open, and the options in it; null outside of a loop. */
  loop: { readonly words: readonly string[]; readonly inside: WrittenOption[] } | null;
}

/**
 * Reads the options of a configuration in their order, with those of included files. Placeholders are replaced: `%d`, `%n` and others, and
 * `%(key)` for an earlier key. Loops are unrolled. Options in a conditional block keep its condition.
 *
 * @throws ViaductError `SETTINGS` with the line that cannot be read
 */
export function readOptions(source: Source): Option[] {
  const reading: Reading = { source, values: new Map(), options: [], conditions: [], loop: null };
  for (const option of formOf(source.text, source.path)(source.text, source.shown)) read(option, reading, 0);
  return reading.options;
}

/** Reads the command line of uWSGI, with the files that it names. */
export function readCommandOptions(args: readonly string[], statement: Statement, base: string): Option[] {
  const source = {
    path: resolve(base, 'command'),
    shown: statement.file,
    show: (path: string) => relative(base, path),
    text: '',
  };
  const reading: Reading = { source, values: new Map(), options: [], conditions: [], loop: null };
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    const next = args[at + 1];
    const [, key = '', equal, value = ''] = /^--?([\w-]+)(=(.*))?$/s.exec(word) ?? [];
    const takesNext = equal === undefined && next !== undefined && !next.startsWith('-') && !SWITCHES.test(key);
    const written = equal !== undefined ? value : takesNext ? next : 'true';
    const isFile = key === '' && /\.(?:ini|xml|ya?ml|json)$/.test(word);
    const option = isFile ? { key: 'ini', written: word } : { key: LETTERS[key] ?? key, written };
    if (takesNext && key !== '') at += 1;
    if (option.key !== '') read({ ...statement, text: `${word}${takesNext ? ` ${next}` : ''}`, ...option }, reading, 0);
  }
  return reading.options;
}

const SWITCHES =
  /^(?:M|master|enable-threads|vacuum|die-on-term|need-app|lazy|lazy-apps|single-interpreter|strict|manage-script-name|thunder-lock|http-keepalive|disable-logging|L|no-site)$/;
const LETTERS: Readonly<Record<string, string>> = {
  s: 'socket',
  p: 'processes',
  w: 'module',
  H: 'home',
  M: 'master',
  d: 'daemonize',
  x: 'xml',
  y: 'yaml',
};

type Form = (text: string, file: string) => WrittenOption[];

function formOf(text: string, path: string, section = 'uwsgi'): Form {
  if (/\.json$|\.js$/.test(path) || /^\s*\{/.test(text)) return readJson;
  if (/\.xml$/.test(path) || /^\s*</.test(text)) return readXml;
  if (/\.ya?ml$/.test(path) || (/^uwsgi:\s*$/m.test(text) && !/^\s*\[uwsgi\]/m.test(text))) return readYaml;
  return (all, file) => readIni(all, file, section);
}

function read(option: WrittenOption, reading: Reading, depth: number): void {
  const name = nameOfKey(option.key);
  const { loop, conditions } = reading;
  if (name === 'endfor' || name === 'end-for') unroll(reading, depth);
  else if (loop !== null) loop.inside.push(option);
  else if (name === 'for') {
    const { value } = filled(option, reading);
    reading.loop = { words: value.split(/\s+/).filter((word) => word !== ''), inside: [] };
  } else if (name === 'endif' || name === 'end-if') conditions.pop();
  else if (/^if-/.test(name)) conditions.push(`${option.key} = ${filled(option, reading).value}`);
  else add(option, name, reading, depth);
}

function unroll(reading: Reading, depth: number): void {
  const { loop } = reading;
  reading.loop = null;
  if (loop === null) return;
  for (const word of loop.words) {
    reading.values.set('_', word);
    for (const option of loop.inside) read({ ...option, text: option.text.replaceAll('%(_)', word) }, reading, depth);
  }
  reading.values.delete('_');
}

function add(option: WrittenOption, name: string, reading: Reading, depth: number): void {
  const { file, line, text, key } = option;
  if (reading.options.length >= OPTIONS_MAX) throw refused(option, 'there are too many keys');
  const { value, unknown } = filled(option, reading);
  if (value.length > LENGTH_MAX) throw refused(option, 'the value is too long');
  const condition = reading.conditions.join(', ');
  if (INCLUDES.test(name) && condition === '' && include(value, option, reading, depth)) return;
  if (condition === '') reading.values.set(key, value);
  reading.options.push({ file, line, text, name, value, unknown, condition });
}

/** Reads an included file, or another section of the same one: `base.ini`, `base.ini:section`, `:section`. */
function include(value: string, option: WrittenOption, reading: Reading, depth: number): boolean {
  const { source } = reading;
  const [, name = '', section = 'uwsgi'] = /^(.*?)(?::([^:/]+))?$/.exec(value) ?? [];
  const path = name === '' ? source.path : resolve(dirname(source.path), name);
  if (!existsSync(path)) return false;
  if (depth >= DEPTH_MAX) throw refused(option, 'files are nested too deep');
  const shown = source.show(path);
  const text = readText(path, shown);
  for (const one of formOf(text, path, section)(text, shown)) read(one, reading, depth + 1);
  return true;
}

/**
 * Replaces placeholders. Paths below `%d`, the directory of the file, become relative, because the settings file is in the same directory. A
 * log format keeps its variables, which look like keys.
 */
function filled({ key, written }: WrittenOption, { source, values }: Reading): Pick<Option, 'value' | 'unknown'> {
  const unknown: string[] = [];
  const name = basename(source.path);
  const letters: Readonly<Record<string, string>> = {
    d: './',
    p: `./${name}`,
    s: name,
    n: name.replace(/\.[^.]*$/, ''),
    e: name.replace(/^.*\./, ''),
    c: basename(dirname(source.path)),
  };
  const value = written.replace(
    /%%|%\(([^)]+)\)|%([dpnsecCkhv])|\$\(([^)]+)\)/g,
    (whole, placed?: string, letter?: string, variable?: string) => {
      if (whole === '%%') return '%';
      if (placed !== undefined) {
        const found = values.get(placed) ?? values.get(placed.replaceAll('_', '-'));
        return found ?? (/^log-?format$/.test(key) ? whole : '');
      }
      if (letter !== undefined && Object.hasOwn(letters, letter)) return letters[letter] ?? '';
      unknown.push(variable ?? whole);
      return '';
    },
  );
  return { value, unknown };
}
