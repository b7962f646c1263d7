import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';
import { flagName, type Setting } from '../config/setting.ts';
import { type Given, noSuch, show, spelled, type Written } from '../config/setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from '../config/settings.ts';
import { takes } from '../config/value.ts';

export type Command = 'serve' | 'app' | 'web' | 'check' | 'import' | 'backends' | 'hash-password' | 'help' | 'version';

export const COMMANDS: Readonly<Record<Command, string>> = {
  serve: 'Find the application and serve it. The word can be left out.',
  app: 'The application server alone: serve the application to a web server in front, over HTTP, uwsgi, FastCGI or SCGI.',
  web: 'The web server alone: serve routes and files, and pass requests on to backends.',
  check: 'Tell what would be served, with which settings and routes, and import the application, without serving it.',
  import:
    'Make a viaduct.toml of an nginx.conf, gunicorn.conf.py or uwsgi.ini: FILE [--output FILE] [--force] [--from KIND].',
  backends: 'List the backends of a running server, or change one: drain NAME, enable NAME, weight NAME N.',
  'hash-password': 'Ask for a password and print its hash, for basic_auth.',
  help: 'Print this text.',
  version: 'Print the version.',
};

/** The command line, with its mistakes beside it, so that they can be told together with those of the other sources. */
export interface Arguments {
  readonly command: Command;
  /** What stands behind a command that has words of its own. */
  readonly words: readonly string[];
  readonly flags: readonly Given[];
  readonly mistakes: readonly string[];
  /** The command that the PATH was perhaps meant to be, for when there is nothing of its name. */
  readonly meant: Command | null;
}

/** Reads the command line. `--help` and `--version` win over everything else. */
export function readArguments(argv: readonly string[]): Arguments {
  if (argv[0] === 'import' && !argv.includes('--help') && !argv.includes('-h'))
    return { command: 'import', words: argv.slice(1), flags: [], mistakes: [], meant: null };
  const mistakes: string[] = [];
  const words: string[] = [];
  const flags = new Map<SettingName, Given>();
  /** Where unknown flags stand: the word behind one is most likely its value. */
  const unknown = new Set<number>();
  for (const token of tokensOf(argv)) {
    if (token.kind === 'positional' && !unknown.has(token.index - 1)) words.push(token.value);
    if (token.kind !== 'option' || unknown.has(token.index)) continue;
    const spelling = token.rawName.startsWith('--') ? token.rawName : (argv[token.index] as string);
    const flag = FLAGS.get(spelling);
    if (flag === 'help' || flag === 'version')
      return { command: flag, words: [], flags: [], mistakes: [], meant: null };
    if (flag === undefined) {
      unknown.add(token.index);
      mistakes.push(unknownFlag(spelling));
      continue;
    }
    const written = writtenBehind(flag, spelling, token.value);
    if (typeof written === 'string') mistakes.push(written);
    else flags.set(flag.name, added(flags.get(flag.name), { name: flag.name, values: [written], origin: spelling }));
  }
  const command = isCommand(words[0]) ? (words.shift() as Command) : null;
  if (command === 'help' || command === 'version') return { command, words: [], flags: [], mistakes, meant: null };
  if (command === 'backends') return { command, words, flags: [...flags.values()], mistakes, meant: null };
  const meant = command === null ? commandLike(words[0]) : null;
  if (words.length > 1) mistakes.push(tooMany(words, meant));
  const target = words.slice(0, 1).map(targetGiven);
  return { command: command ?? 'serve', words: [], flags: [...target, ...flags.values()], mistakes, meant };
}

/** A flag that asks for a command, or one of a setting; `off` when it says no to it. */
type Flag = 'help' | 'version' | { readonly name: SettingName; readonly off: boolean };

const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
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

/** Node's own reader tells which words are values: those behind a flag of type `string`. */
function tokensOf(argv: readonly string[]) {
  const takesValue = [...FLAGS].filter(
    ([, flag]) => typeof flag === 'object' && SETTINGS[flag.name].kind !== 'boolean',
  );
  const options = Object.fromEntries(takesValue.map(([flag]) => [flag.slice(2), { type: 'string' as const }]));
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** What was written behind a flag, or a mistake. */
function writtenBehind(
  { name, off }: Exclude<Flag, string>,
  flag: string,
  value: string | undefined,
): Written | string {
  const setting: Setting = SETTINGS[name];
  if (value !== undefined && value !== '') {
    return off
      ? `Cannot use ${flag} ${show(value)}: it takes no value`
      : { raw: value, shown: `${flag} ${show(value)}` };
  }
  if (setting.kind !== 'boolean') return `Cannot use ${flag}: it needs a value: ${takes(setting)}`;
  return { raw: !off, shown: flag };
}

function unknownFlag(flag: string): string {
  const known = spelled(flagName, 'target');
  for (const name of settingNames()) if (SETTINGS[name].kind === 'boolean') known.set(`no_${name}`, noFlag(name));
  known.set('help', '--help').set('version', '--version');
  return noSuch('flag', flag, flag.replace(/^--?/, ''), known);
}

/** A list grows with each flag, everything else is replaced. */
function added(before: Given | undefined, given: Given): Given {
  if (before === undefined || SETTINGS[given.name].kind !== 'list') return given;
  return { ...given, values: [...before.values, ...given.values] };
}

function targetGiven(word: string): Given {
  return { name: 'target', origin: 'the command line', values: [{ raw: word, shown: show(word) }] };
}

function tooMany([word, ...more]: readonly string[], meant: Command | null): string {
  return meant === null
    ? `Cannot serve ${show(more.join(' '))} too: one PATH or MODULE:CALLABLE is enough`
    : `Cannot use ${show(word)}: there is no such command; did you mean ${meant}?`;
}

function isCommand(word: string | undefined): word is Command {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

function commandLike(word = ''): Command | null {
  if (['run', 'start', 'runserver'].includes(word)) return 'serve';
  if (['test', 'validate'].includes(word)) return 'check';
  return nearest(word, Object.keys(COMMANDS)) as Command | null;
}
