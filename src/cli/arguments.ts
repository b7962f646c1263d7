import { parseArgs } from 'node:util';
import { flagName, type Setting } from '../config/setting.ts';
import {
  formatRawValue,
  type RawValue,
  type SettingInput,
  spellings,
  unknownNameMessage,
} from '../config/setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from '../config/settings.ts';
import { takes } from '../config/value.ts';
import { type Command, commandLike, isCommand, isControl } from './command-names.ts';

const LOG_FLAGS = '--follow, --lines, --errors, --request, --route, --status, --path and --min-ms';

/** The flags of `logs`. */
export interface LogFlags {
  readonly follow: boolean;
  readonly errors: boolean;
  /** Null for the default. */
  readonly lines: string | null;
  /** Null for any. */
  readonly request: string | null;
  readonly route: string | null;
  readonly status: string | null;
  readonly path: string | null;
  readonly 'min-ms': string | null;
}

export const NO_LOG_FLAGS: LogFlags = {
  follow: false,
  errors: false,
  lines: null,
  request: null,
  route: null,
  status: null,
  path: null,
  'min-ms': null,
};

/** Those that need a value, in words. */
const LOG_VALUES = {
  lines: 'a number of lines',
  request: 'the id of a request',
  route: 'the name of a route',
  status: 'a status such as 404 or 5xx',
  path: 'a part of a path',
  'min-ms': 'a number of milliseconds',
} as const;

function isLogValue(flag: unknown): flag is keyof typeof LOG_VALUES {
  return typeof flag === 'string' && Object.hasOwn(LOG_VALUES, flag);
}

/** The command line and its errors, which are reported together with the errors of the other sources. */
export interface Arguments {
  readonly command: Command;
  /** The words after a command that takes words of its own. */
  readonly words: readonly string[];
  readonly flags: readonly SettingInput[];
  readonly errors: readonly string[];
  /** Whether a command that talks to a running server prints JSON. */
  readonly json: boolean;
  /** The application that `--app` names, for `scale`; null without it. */
  readonly app: string | null;
  /** What `logs` prints. */
  readonly logs: LogFlags;
  /** The command that the user may have meant by PATH, for the case that no such path exists. */
  readonly meant: Command | null;
}

/** Reads the command line. `--help` and `--version` win over everything else. */
export function readArguments(argv: readonly string[]): Arguments {
  const asksForHelp = argv.includes('--help') || argv.includes('-h');
  if (argv[0] === 'import' && !asksForHelp) return { ...NOTHING, command: 'import', words: argv.slice(1) };
  const first = tokensOf(argv).find(({ kind }) => kind !== 'option');
  if (first?.kind === 'positional' && (first.value === 'trace' || first.value === 'top') && !asksForHelp)
    return { ...NOTHING, command: first.value, words: argv.toSpliced(first.index, 1) };
  if (first?.kind === 'positional' && first.value === 'exec')
    return readExec(argv.slice(0, first.index), argv.slice(first.index + 1));
  return readOwn(argv);
}

/** The words behind the flags are those of the command, whatever they look like. */
function readExec(before: readonly string[], argv: readonly string[]): Arguments {
  const first = tokensOf(argv).find(({ kind }) => kind !== 'option');
  const end = first?.index ?? argv.length;
  const words = argv.slice(first?.kind === 'option-terminator' ? end + 1 : end);
  const own = readOwn([...before, ...argv.slice(0, end)]);
  if (own.command === 'help' || own.command === 'version') return own;
  const json = own.json ? ['Cannot use --json: only the commands that talk to a running server take it'] : [];
  return { ...own, command: 'exec', words, errors: [...own.errors, ...json] };
}

function readOwn(argv: readonly string[]): Arguments {
  const errors: string[] = [];
  const words: string[] = [];
  const flags = new Map<SettingName, SettingInput>();
  /** Positions of unknown flags. The word after an unknown flag is most likely its value. */
  const unknown = new Set<number>();
  let json = false;
  let app: string | null = null;
  let logs = NO_LOG_FLAGS;
  for (const token of tokensOf(argv)) {
    if (token.kind === 'positional' && !unknown.has(token.index - 1)) words.push(token.value);
    if (token.kind !== 'option' || unknown.has(token.index)) continue;
    const spelling = token.rawName.startsWith('--') ? token.rawName : (argv[token.index] as string);
    const flag = FLAGS.get(spelling);
    if (flag === 'help' || flag === 'version') return { ...NOTHING, command: flag };
    if (flag === 'json') {
      json = true;
      continue;
    }
    if (flag === 'app') {
      app = token.value ?? '';
      if (app === '') errors.push('Cannot use --app: it needs a value: the name of an application');
      continue;
    }
    if (flag === 'follow' || flag === 'errors') {
      logs = { ...logs, [flag]: true };
      continue;
    }
    if (isLogValue(flag)) {
      logs = { ...logs, [flag]: token.value ?? '' };
      if (!token.value) errors.push(`Cannot use ${spelling}: it needs a value: ${LOG_VALUES[flag]}`);
      continue;
    }
    if (flag === undefined) {
      unknown.add(token.index);
      errors.push(unknownFlag(spelling));
      continue;
    }
    const value = flagValue(flag, spelling, token.value);
    if (typeof value === 'string') errors.push(value);
    else flags.set(flag.name, added(flags.get(flag.name), { name: flag.name, values: [value], origin: spelling }));
  }
  const command = isCommand(words[0]) ? (words.shift() as Command) : null;
  if (command === 'help' || command === 'version') return { ...NOTHING, command, errors };
  if (command === 'hash-password') return { ...NOTHING, command, words: argv.filter((word) => word !== command) };
  if (app !== null && command !== 'scale') errors.push('Cannot use --app: only the command scale takes it');
  if (logs !== NO_LOG_FLAGS && command !== 'logs')
    errors.push(`Cannot use ${LOG_FLAGS}: only the command logs takes them`);
  if (isControl(command)) return { command, words, flags: [...flags.values()], errors, json, app, logs, meant: null };
  if (json) errors.push('Cannot use --json: only the commands that talk to a running server take it');
  const meant = command === null ? commandLike(words[0]) : null;
  if (words.length > 1) errors.push(tooMany(words, meant));
  const target = words.slice(0, 1).map(targetInput);
  const all = [...target, ...flags.values()];
  return { command: command ?? 'serve', words: [], flags: all, errors, json, app, logs, meant };
}

const NOTHING = { words: [], flags: [], errors: [], json: false, app: null, logs: NO_LOG_FLAGS, meant: null };

/** A flag that is a command, or for control commands, or the flag of a setting; `off` for its `--no-` form. */
type Flag =
  | 'help'
  | 'version'
  | 'json'
  | 'app'
  | keyof LogFlags
  | { readonly name: SettingName; readonly off: boolean };

const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['--json', 'json'],
  ['--app', 'app'],
  ['--follow', 'follow'],
  ['-f', 'follow'],
  ['--lines', 'lines'],
  ['-n', 'lines'],
  ['--errors', 'errors'],
  ['--request', 'request'],
  ['--route', 'route'],
  ['--status', 'status'],
  ['--path', 'path'],
  ['--min-ms', 'min-ms'],
  ['-V', 'version'],
  ['-v', 'version'],
  ...settingNames().flatMap((name): [string, Flag][] => {
    if (name === 'target') return [];
    const flag: [string, Flag] = [flagName(name), { name, off: false }];
    return SETTINGS[name].kind === 'boolean' ? [flag, [noFlag(name), { name, off: true }]] : [flag];
  }),
]);

function noFlag(name: string): string {
  return flagName(name).replace('--', '--no-');
}

/** Node's own parser decides which words are values: those after a flag of type `string`. */
function tokensOf(argv: readonly string[]) {
  const takesValue = [...FLAGS].filter(
    ([, flag]) =>
      flag === 'app' ||
      (isLogValue(flag) && flag !== 'lines') ||
      (typeof flag === 'object' && SETTINGS[flag.name].kind !== 'boolean'),
  );
  const options = {
    ...Object.fromEntries(takesValue.map(([flag]) => [flag.slice(2), { type: 'string' as const }])),
    lines: { type: 'string' as const, short: 'n' },
  };
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** The value of a flag, or an error message. */
function flagValue({ name, off }: Exclude<Flag, string>, flag: string, value: string | undefined): RawValue | string {
  const setting: Setting = SETTINGS[name];
  if (value !== undefined && value !== '') {
    return off
      ? `Cannot use ${flag} ${formatRawValue(value)}: it takes no value`
      : { raw: value, shown: `${flag} ${formatRawValue(value)}` };
  }
  if (setting.kind !== 'boolean') return `Cannot use ${flag}: it needs a value: ${takes(setting)}`;
  return { raw: !off, shown: flag };
}

function unknownFlag(flag: string): string {
  const known = spellings(flagName, 'target');
  for (const name of settingNames()) if (SETTINGS[name].kind === 'boolean') known.set(`no_${name}`, noFlag(name));
  known.set('help', '--help').set('version', '--version').set('json', '--json').set('app', '--app');
  return unknownNameMessage('flag', flag, flag.replace(/^--?/, ''), known);
}

/** Repeated flags extend a list. For every other setting the last flag wins. */
function added(before: SettingInput | undefined, input: SettingInput): SettingInput {
  if (before === undefined || SETTINGS[input.name].kind !== 'list') return input;
  return { ...input, values: [...before.values, ...input.values] };
}

function targetInput(word: string): SettingInput {
  return { name: 'target', origin: 'the command line', values: [{ raw: word, shown: formatRawValue(word) }] };
}

function tooMany([word, ...others]: readonly string[], meant: Command | null): string {
  return meant === null
    ? `Cannot serve ${formatRawValue(others.join(' '))} as well: name one PATH or MODULE:CALLABLE`
    : `Cannot use ${formatRawValue(word)}: there is no such command; did you mean ${meant}?`;
}
