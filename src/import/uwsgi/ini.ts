import { basename } from 'node:path';
import type { Statement } from '../import-report.ts';
import { refused } from '../refused.ts';

/** `key = value` of the section `[uwsgi]`. */
export interface Option extends Statement {
  /** The name with hyphens, such as `wsgi-file`. */
  readonly name: string;
  readonly value: string;
  /** Names of environment variables in the value. Their values are unknown here. */
  readonly unknown: readonly string[];
}

const OPTIONS_MAX = 10_000;
const LENGTH_MAX = 64 * 1024;

/**
 * Reads the section `[uwsgi]` of an ini file. Placeholders are replaced: `%d`, `%n` and others, and `%(key)` for an earlier key.
 *
 * @throws ViaductError `SETTINGS` with the line that is neither a section nor a key
 */
export function readIni(text: string, file: string): Option[] {
  const options: Option[] = [];
  const values = new Map<string, string>();
  let section = '';
  let hasSection = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const header = /^\[([^\]]*)\]$/.exec(line);
    if (header !== null) {
      section = (header[1] ?? '').trim();
      hasSection ||= section === 'uwsgi';
      continue;
    }
    if (section !== 'uwsgi') continue;
    const [, key = '', written = ''] = /^([^=]+?)\s*=\s*(.*)$/s.exec(line) ?? [line, line, 'true'];
    if (line.startsWith('=') || line.startsWith('['))
      throw refused(place, `"${line.slice(0, 40)}" is neither a section nor a key`);
    if (options.length >= OPTIONS_MAX) throw refused(place, 'there are too many keys');
    const { value, unknown } = filled(written, file, values, /^log-?format$/.test(key));
    if (value.length > LENGTH_MAX) throw refused(place, 'the value is too long');
    values.set(key, value);
    options.push({ ...place, text: line, name: key.toLowerCase().replaceAll('_', '-'), value, unknown });
  }
  if (!hasSection) throw refused({ file, line: 1 }, 'there is no section [uwsgi]');
  return options;
}

/** Makes paths below `%d`, the directory of the file, relative, because the settings file is in the same directory. A log format keeps its variables, which look like keys. */
function filled(
  written: string,
  file: string,
  values: ReadonlyMap<string, string>,
  keepsUnknown: boolean,
): { readonly value: string; readonly unknown: readonly string[] } {
  const unknown: string[] = [];
  const name = basename(file);
  const value = written.replace(
    /%%|%\(([^)]+)\)|%([dpnsecCkhv])|\$\(([^)]+)\)/g,
    (whole, key?: string, letter?: string, variable?: string) => {
      if (whole === '%%') return '%';
      if (key !== undefined)
        return values.get(key) ?? values.get(key.replaceAll('_', '-')) ?? (keepsUnknown ? whole : '');
      if (letter === 'd') return './';
      if (letter === 'p') return `./${name}`;
      if (letter === 's') return name;
      if (letter === 'n') return name.replace(/\.[^.]*$/, '');
      if (letter === 'e') return name.replace(/^.*\./, '');
      unknown.push(variable === undefined ? whole : variable);
      return '';
    },
  );
  return { value, unknown };
}

/** Whether a switch is on: `true`, `1`, `yes` and `on`. */
export function isOn(value: string): boolean {
  return /^(?:true|1|yes|on)$/i.test(value.trim());
}
