import { splitWords } from '../config/words.ts';
import type { ConfigBuilder, Value } from './config-builder.ts';
import type { SourceLocation } from './import-report.ts';

/** What a shell does and the command of a sidecar does not. */
const SHELL = /[|&;<>$`*?(){}~#\n]|^\w+=/;
const NAME_LENGTH_MAX = 64;

/** Writes a table for a command line that the other server gave to a shell. */
export function appendCommand(
  builder: ConfigBuilder,
  list: 'process' | 'schedule',
  line: string,
  name: string | null,
  from: SourceLocation,
): ConfigBuilder {
  const table = builder.append(list);
  const command: Value = SHELL.test(line) || splitWords(line) === null ? ['sh', '-c', line] : line;
  table.set('command', command, from);
  const wanted = name ?? nameOf(line);
  table.set('name', freeName(builder, list, table, wanted), from);
  return table;
}

/** `celery` of `/srv/venv/bin/celery -A shop worker`, `clearsessions` of `python manage.py clearsessions`. */
function nameOf(line: string): string {
  const words = line.split(/\s+/).filter((word) => word !== '' && !/^\w+=/.test(word));
  const manage = words.findIndex((word) => /(?:^|\/)manage\.py$/.test(word));
  const isPython = /(?:^|\/)python[\d.]*$/.test(words[0] ?? '');
  const chosen =
    manage >= 0 ? words[manage + 1] : isPython ? words.find((word, at) => at > 0 && !word.startsWith('-')) : words[0];
  return (chosen ?? 'command').replace(/^.*\//, '').replace(/\.(?:py|sh)$/, '');
}

function freeName(builder: ConfigBuilder, list: string, own: ConfigBuilder, wanted: string): string {
  const plain =
    wanted
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, NAME_LENGTH_MAX - 4) || 'command';
  const taken = new Set((builder.lists.get(list) ?? []).filter((one) => one !== own).map((one) => one.get('name')));
  let name = plain;
  for (let number = 2; taken.has(name); number += 1) name = `${plain}-${number}`;
  return name;
}
