import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Statement } from '../import-report.ts';
import { globSync } from '../nginx/glob.ts';
import { readText } from '../read-text.ts';
import { refused } from '../refused.ts';
import { type Line, linesOf, wordsOf } from './lines.ts';

/** A directive. A section, such as `<Location /x>`, has children. */
export interface Directive extends Statement {
  /** In lower case, because Apache ignores it: `wsgiscriptalias`, `location`. */
  readonly name: string;
  readonly args: readonly string[];
  readonly children: readonly Directive[] | null;
}

/** Everything that a configuration says, with the files that it includes, and without the parts that do not count. */
export interface Tree {
  readonly directives: readonly Directive[];
  /** Parts that may count or not, with the reason why they were read or skipped. */
  readonly guessed: readonly { readonly directive: Directive; readonly reason: string }[];
}

interface Reading {
  readonly show: (path: string) => string;
  readonly defines: Map<string, string>;
  /** Modules that the files load; null as long as there is no LoadModule, because the modules are then unknown. */
  modules: Set<string> | null;
  root: string;
  readonly guessed: { directive: Directive; reason: string }[];
  count: number;
}

const DIRECTIVES_MAX = 50_000;
const DEPTH_MAX = 20;

/** Modules of a usual Apache, and of one with Python. The report names a part for any other module. */
const USUAL =
  /^(?:alias|auth\w*|access_compat|autoindex|deflate|brotli|dir|env|expires|filter|headers|http2|log_config|mime|mpm_\w+|negotiation|proxy\w*|reqtimeout|rewrite|setenvif|socache_shmcb|ssl|unixd|version|wsgi)$/;

/** What Debian's `envvars` defines. */
const DEFINES: readonly (readonly [name: string, value: string])[] = [
  ['APACHE_LOG_DIR', '/var/log/apache2'],
  ['APACHE_RUN_DIR', '/var/run/apache2'],
  ['APACHE_LOCK_DIR', '/var/lock/apache2'],
  ['APACHE_PID_FILE', '/var/run/apache2/apache2.pid'],
  ['APACHE_RUN_USER', 'www-data'],
  ['APACHE_RUN_GROUP', 'www-data'],
];

/**
 * Reads a configuration and the files that it includes. Defined variables are replaced.
 *
 * @throws ViaductError `SETTINGS` with the line of a quote or section that does not end, or of a section that does not start
 */
export function readTree(text: string, path: string, show: (path: string) => string): Tree {
  const root = dirname(path);
  const reading: Reading = { show, defines: new Map(DEFINES), modules: null, root, guessed: [], count: 0 };
  const directives = readFile(text, path, reading, 0);
  return { directives, guessed: reading.guessed };
}

function readFile(text: string, path: string, reading: Reading, depth: number): Directive[] {
  const file = reading.show(path);
  const lines = linesOf(text);
  const cursor = { at: 0 };
  const all = readBlock(lines, cursor, null, file, reading, depth);
  return all;
}

interface Cursor {
  at: number;
}

/** Reads until the end of the section `open`, or of the file. */
function readBlock(
  lines: readonly Line[],
  cursor: Cursor,
  open: { readonly name: string; readonly line: number } | null,
  file: string,
  reading: Reading,
  depth: number,
): Directive[] {
  const found: Directive[] = [];
  for (let line = lines[cursor.at]; line !== undefined; line = lines[cursor.at]) {
    cursor.at += 1;
    const end = /^<\/\s*(\w+)\s*>$/.exec(line.text)?.[1]?.toLowerCase();
    if (end !== undefined && end === open?.name) return found;
    if (end !== undefined) throw refused({ file, line: line.line }, `</${end}> ends a section that does not start`);
    reading.count += 1;
    if (reading.count > DIRECTIVES_MAX) throw refused({ file, line: line.line }, 'there are too many directives');
    const start = /^<\s*(\w+)\b(.*?)>?$/s.exec(line.text);
    const directive = directiveOf(line, start, file, reading);
    if (start !== null) {
      if (depth >= DEPTH_MAX) throw refused(directive, 'sections are nested too deep');
      const mode = modeOf(directive, reading);
      // what does not count must not define anything
      const inside = { ...reading, defines: new Map(reading.defines), guessed: [] };
      const at = { name: directive.name, line: line.line };
      const children = readBlock(lines, cursor, at, file, mode === 'skip' ? inside : reading, depth + 1);
      if (mode === 'section') found.push({ ...directive, children });
      else if (mode === 'inline') found.push(...children);
    } else found.push(...readDirective(directive, file, reading, depth));
  }
  if (open !== null) throw refused({ file, line: open.line }, `the section <${open.name}> does not end`);
  return found;
}

function directiveOf(line: Line, start: RegExpExecArray | null, file: string, { defines }: Reading): Directive {
  const filled = (text: string): string =>
    text.replace(/\$\{([^}:]+)\}/g, (whole, name: string) => defines.get(name) ?? whole);
  const written = start === null ? line.text : `${start[1]} ${start[2]}`;
  const [name = '', ...args] = wordsOf({ line: line.line, text: filled(written) }, file);
  return { file, line: line.line, text: line.text, name: name.toLowerCase(), args, children: null };
}

function readDirective(directive: Directive, file: string, reading: Reading, depth: number): Directive[] {
  const { name, args } = directive;
  const [first = '', second = ''] = args;
  if (name === 'include' || name === 'includeoptional') return include(directive, reading, depth);
  if (name === 'define') reading.defines.set(first, second);
  else if (name === 'undefine') reading.defines.delete(first);
  else if (name === 'loadmodule') {
    reading.modules ??= new Set();
    reading.modules.add(first.replace(/_module$/, ''));
  } else if (name === 'serverroot') reading.root = first;
  else return [{ ...directive, file }];
  return [];
}

function include(directive: Directive, reading: Reading, depth: number): Directive[] {
  const [written = ''] = directive.args;
  if (depth >= DEPTH_MAX) throw refused(directive, 'files are nested too deep');
  const path = isAbsolute(written) ? written : resolve(reading.root, written);
  const pattern = path.endsWith('/') ? join(path, '*') : path;
  const files = globSync(pattern);
  if (files.length === 0 && directive.name === 'include' && !/[*?[]/.test(written))
    reading.guessed.push({ directive, reason: 'the file is not here, and was not read' });
  return files.flatMap((one) => readFile(readText(one, reading.show(one)), one, reading, depth + 1));
}

/** Whether the content of a section counts where the section is, does not count, or belongs to the section. */
function modeOf(directive: Directive, reading: Reading): 'inline' | 'skip' | 'section' {
  const { name, args } = directive;
  const [word = ''] = args;
  const isNot = word.startsWith('!');
  const plain = word.replace(/^!/, '');
  if (name === 'ifdefine') return reading.defines.has(plain) === isNot ? skip(directive, reading, isNot) : 'inline';
  if (name === 'ifmodule') {
    const module = plain.replace(/^mod_|_module$|\.c$/g, '').replace(/\.c$/, '');
    if (reading.modules !== null) return reading.modules.has(module) === isNot ? 'skip' : 'inline';
    if (!USUAL.test(module))
      reading.guessed.push({
        directive,
        reason: `it was ${isNot ? 'skipped' : 'read'}, as if mod_${module} was loaded`,
      });
    return isNot ? 'skip' : 'inline';
  }
  if (name === 'ifversion') return /^(?:>|>=|!=)?$/.test(args.length === 1 ? '' : plain) ? 'inline' : 'skip';
  if (name === 'iffile' || name === 'ifdirective' || name === 'ifsection') {
    reading.guessed.push({ directive, reason: 'it was skipped: its condition is unknown here' });
    return 'skip';
  }
  return 'section';
}

function skip(directive: Directive, reading: Reading, isNot: boolean): 'skip' {
  if (!isNot) reading.guessed.push({ directive, reason: 'it was skipped: nothing here defines this name' });
  return 'skip';
}
