import { parseArgs } from 'node:util';
import type { Given } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import { flagName, SETTINGS, type SettingName, settingNames } from '../config/settings.ts';
import { ViaductError } from '../errors.ts';

export interface Arguments {
  readonly command: 'serve' | 'check' | 'help' | 'version';
  /** PATH or MODULE:CALLABLE. */
  readonly target: string | null;
  readonly configFile: string | null;
  readonly flags: readonly Given[];
}

/**
 * Reads the command line.
 *
 * @throws ViaductError `USAGE` with every mistake, a line each.
 */
export function readArguments(argv: readonly string[], cwd: string): Arguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options: options(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const mistakes: string[] = [];
  const words: string[] = [];
  const flags: Given[] = [];
  const lists = new Map<SettingName, string[]>();
  let configFile: string | null = null;
  let wanted: 'help' | 'version' | null = null;
  for (const token of tokens ?? []) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const known = FLAGS.get(token.rawName.startsWith('--') ? `--${token.name}` : token.rawName);
    if (known === 'help' || known === 'version') wanted ??= known;
    else if (known === undefined) mistakes.push(unknownFlag(token.rawName));
    else if (known === 'config') configFile = needed(token.rawName, token.value, mistakes) ?? configFile;
    else if (known.off) flags.push({ name: known.name, raw: false, origin: token.rawName, base: cwd });
    else if (SETTINGS[known.name].kind === 'boolean') {
      flags.push({ name: known.name, raw: token.value ?? true, origin: token.rawName, base: cwd });
    } else {
      const raw = needed(token.rawName, token.value, mistakes);
      if (raw === null) continue;
      if (SETTINGS[known.name].kind !== 'list') flags.push({ name: known.name, raw, origin: token.rawName, base: cwd });
      else lists.set(known.name, [...(lists.get(known.name) ?? []), raw]);
    }
  }
  for (const [name, raw] of lists) flags.push({ name, raw, origin: flagName(name), base: cwd });
  const command = words[0] === 'serve' || words[0] === 'check' ? (words.shift() as 'serve' | 'check') : 'serve';
  const [target = null, ...more] = words;
  if (wanted !== null) return { command: wanted, target: null, configFile: null, flags: [] };
  if (more.length > 0) mistakes.push(`Cannot serve "${more.join(' ')}" too: one PATH or MODULE:CALLABLE is enough`);
  if (mistakes.length > 0)
    throw new ViaductError('USAGE', mistakes.join('\n'), { advice: 'viaduct --help lists the flags.' });
  return { command, target, configFile, flags };
}

type Known = 'help' | 'version' | 'config' | { readonly name: SettingName; readonly off: boolean };

const FLAGS: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['-V', 'version'],
  ['--config', 'config'],
  ...settingNames().flatMap((name): [string, Known][] => {
    const flag = flagName(name);
    if (SETTINGS[name].kind !== 'boolean') return [[flag, { name, off: false }]];
    return [
      [flag, { name, off: false }],
      [flag.replace('--', '--no-'), { name, off: true }],
    ];
  }),
]);

function options(): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const known: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'V' },
    config: { type: 'string' },
  };
  for (const name of settingNames()) {
    const type = SETTINGS[name].kind === 'boolean' ? 'boolean' : 'string';
    known[flagName(name).slice(2)] = { type };
    if (type === 'boolean') known[`no-${flagName(name).slice(2)}`] = { type };
  }
  return known;
}

function needed(flag: string, value: string | undefined, mistakes: string[]): string | null {
  if (value !== undefined && value !== '') return value;
  mistakes.push(`Cannot use ${flag}: it needs a value`);
  return null;
}

function unknownFlag(flag: string): string {
  const near = nearest(flag, [...FLAGS.keys()]);
  return `Cannot use ${flag}: there is no such flag${near === null ? '' : `; did you mean ${near}?`}`;
}
