import { basename, dirname } from 'node:path';
import { splitWords } from '../../config/words.ts';
import type { ImportReport, Statement } from '../import-report.ts';
import { refused } from '../refused.ts';
import type { Source } from '../source.ts';
import type { ServiceCommand, Setting } from './command-line.ts';

/** A key of a section of an ini file, as supervisor and systemd write them. */
interface Key extends Statement {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** Reads `name: command` lines. */
export function readProcfile({ text, shown, path }: Source): ServiceCommand[] {
  const commands = text.split('\n').flatMap((raw, index) => {
    const [, name, line] = /^([\w-]+):\s*(\S.*)$/.exec(raw.trim()) ?? [];
    if (name === undefined || line === undefined) return [];
    const statement = { file: shown, line: index + 1, text: raw.trim() };
    return [{ name, line, statement, environment: new Map(), settings: new Map(), base: dirname(path) }];
  });
  if (commands.length === 0) throw refused({ file: shown, line: 1 }, 'there is no line "NAME: COMMAND"');
  return commands;
}

/** Reads the `[program:NAME]` sections of a supervisor. */
export function readSupervisor({ text, shown, path }: Source, report: ImportReport): ServiceCommand[] {
  const keys = keysOf(text, shown, ';');
  const sections = [...new Set(keys.map(({ section }) => section))].filter((one) => one.startsWith('program:'));
  const commands = sections.flatMap((section) => {
    const own = keys.filter((key) => key.section === section);
    const command = own.find(({ name }) => name === 'command');
    if (command === undefined) return [];
    const environment = variablesOf(own, 'environment', (value) => value.split(/,(?=\s*\w+=)/));
    const settings = new Map(own.map((key) => [key.name, { value: key.value, statement: key }]));
    for (const key of own)
      if (!TAKEN.test(key.name)) report.needless(key, 'keep it for the program that starts Viaduct');
    const line = command.value.replaceAll('%(here)s', dirname(path)).replaceAll('%%', '%');
    return [
      { name: section.replace(/^program:/, ''), line, statement: command, environment, settings, base: dirname(path) },
    ];
  });
  if (commands.length === 0)
    throw refused({ file: shown, line: 1 }, 'there is no section [program:NAME] with a command');
  return commands;
}

const TAKEN = /^(?:command|environment|directory|user|numprocs|stopwaitsecs|stopsignal)$/;

/** What the sections of supervisor and of systemd call the same. */
const UNIT_NAMES: Readonly<Record<string, string>> = { User: 'user', Group: 'group', WorkingDirectory: 'directory' };

/** Reads a unit of systemd. */
export function readUnit({ text, shown, path }: Source, report: ImportReport): ServiceCommand[] {
  const keys = keysOf(text, shown, '#').filter(({ section }) => section === 'Service');
  const written = keys.filter(({ name }) => name === 'ExecStart');
  // an empty one takes back those before it
  const started = written.slice(written.findLastIndex(({ value }) => value === '') + 1);
  if (started.length === 0) throw refused({ file: shown, line: 1 }, 'there is no ExecStart in a section [Service]');
  const environment = variablesOf(keys, 'Environment', (value) => splitWords(value) ?? []);
  const named = keys.filter(({ name }) => Object.hasOwn(UNIT_NAMES, name));
  const settings = new Map(
    named.map((key) => [UNIT_NAMES[key.name] as string, { value: key.value.replace(/^-/, ''), statement: key }]),
  );
  for (const key of keys) {
    if (key.name === 'EnvironmentFile')
      report.needless(key, 'keep it in the unit of Viaduct; its variables are not read here');
    else if (key.name === 'ExecReload')
      report.needless(key, 'HUP reloads Viaduct, too: ExecReload=/bin/kill -HUP $MAINPID');
    else if (!named.includes(key) && key.name !== 'ExecStart' && key.name !== 'Environment')
      report.needless(key, 'keep it in the unit of Viaduct');
  }
  const name = basename(path).replace(/\.service$/, '');
  const base = dirname(path);
  return started.map((key) => ({
    name,
    line: key.value.replace(/^[@:+!|-]+/, ''),
    statement: key,
    environment,
    settings,
    base,
  }));
}

function variablesOf(
  keys: readonly Key[],
  name: string,
  split: (value: string) => readonly string[],
): Map<string, Setting> {
  const environment = new Map<string, Setting>();
  for (const key of keys.filter((one) => one.name === name)) {
    for (const pair of split(key.value)) {
      const [, variable = '', value = ''] = /^\s*(\w+)=(.*?)\s*$/s.exec(pair) ?? [];
      if (variable !== '') environment.set(variable, { value: value.replace(/^(["'])(.*)\1$/s, '$2'), statement: key });
    }
  }
  return environment;
}

/** The keys with their sections. A backslash at the end of a line, or a blank at the start of the next one, continues a value. */
function keysOf(text: string, file: string, comment: string): Key[] {
  const keys: Key[] = [];
  let section = '';
  let isOpen = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = (comment === ';' ? raw.replace(/\s;.*$/, '') : raw).trim();
    const last = keys.at(-1);
    if (line === '' || /^[#;]/.test(line)) continue;
    const header = /^\[(.+)\]$/.exec(line);
    const continues = last !== undefined && (isOpen || (comment === ';' && /^\s/.test(raw)));
    isOpen = line.endsWith('\\');
    const plain = line.replace(/\\$/, '').trimEnd();
    if (header !== null) section = header[1] ?? '';
    else if (continues) keys.splice(-1, 1, { ...last, value: `${last.value} ${plain}`, text: `${last.text} ${plain}` });
    else {
      const [, name = plain, value = ''] = /^([^=]+?)\s*=\s*(.*)$/s.exec(plain) ?? [];
      keys.push({ section, name, value, file, line: index + 1, text: plain });
    }
  }
  return keys;
}
