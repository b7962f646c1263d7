import { splitWords } from '../../config/words.ts';
import type { Statement } from '../import-report.ts';

/** A value with the statement that sets it. */
export interface Setting {
  readonly value: string;
  readonly statement: Statement;
}

/** A command that a service manager runs. */
export interface ServiceCommand {
  readonly statement: Statement;
  /** `web` of a Procfile, the name of a program or of a unit. */
  readonly name: string;
  readonly line: string;
  readonly environment: ReadonlyMap<string, Setting>;
  /** `directory`, `user`, `group`, and others that a service manager has. */
  readonly settings: ReadonlyMap<string, Setting>;
  /** Where the relative paths of the file start. */
  readonly base: string;
}

/** The servers whose command lines are known. */
export const SERVER_NAMES = ['gunicorn', 'uwsgi', 'waitress', 'granian', 'mod_wsgi-express', 'daphne'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A command that starts a server. */
export interface ServerCommand {
  readonly server: ServerName;
  readonly statement: Statement;
  readonly args: readonly string[];
  /** Variables before the command. */
  readonly environment: ReadonlyMap<string, string>;
  /** The directory of the virtual environment of the program; null if its path does not show one. */
  readonly python: string | null;
}

const SERVERS: Readonly<Record<string, ServerName>> = {
  gunicorn: 'gunicorn',
  gunicorn3: 'gunicorn',
  uwsgi: 'uwsgi',
  'uwsgi-core': 'uwsgi',
  'waitress-serve': 'waitress',
  waitress: 'waitress',
  granian: 'granian',
  'mod_wsgi-express': 'mod_wsgi-express',
  daphne: 'daphne',
};
/** Programs that start another program with the words behind them. */
const WRAPPERS =
  /^(?:exec|env|nohup|poetry|pipenv|uv|pdm|hatch|run|nice|setsid|dumb-init|tini|--|newrelic-admin|run-program|opentelemetry-instrument|ddtrace-run)$/;

/** Reads a command that starts a server; null for any other command. */
export function serverCommandOf({ statement, line }: ServiceCommand): ServerCommand | null {
  // a shell's command line: what is before the last && prepares
  const own = line.split(/\s(?:&&|;)\s/).at(-1) ?? line;
  const outer = splitWords(own);
  const isShell = /(?:^|\/)(?:ba|da)?sh$/.test(outer?.[0] ?? '') && /^-l?c$/.test(outer?.[1] ?? '');
  const words = isShell ? splitWords(outer?.[2] ?? '') : outer;
  if (words === null) return null;
  const environment = new Map<string, string>();
  for (const [index, word] of words.entries()) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) {
      environment.set(name, value ?? '');
      continue;
    }
    const program = word.replace(/^.*\//, '');
    const isPython = /^python[\d.]*$/.test(program) && words[index + 1] === '-m';
    const server = SERVERS[isPython ? (words[index + 2] ?? '') : program];
    if (server !== undefined) {
      const args = words.slice(index + (isPython ? 3 : 1));
      return { server, statement, args, environment, python: environmentOf(word) };
    }
    if (!WRAPPERS.test(program)) return null;
  }
  return null;
}

/** `/srv/venv` of `/srv/venv/bin/gunicorn`. */
function environmentOf(program: string): string | null {
  const [, directory = ''] = /^(.+)\/bin\/[^/]+$/.exec(program) ?? [];
  return directory === '' || /^\/(?:usr(?:\/local)?|opt\/local)?$/.test(directory) ? null : directory;
}

/** The options of a command line and its other words. */
export interface Options {
  /** In their order, with long names. An option without a value is `true`. */
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly others: readonly string[];
}

/**
 * Reads `--name value`, `--name=value`, `-n value` and `-nvalue`. `switches` take no value, and `pairs` two; `short` has long names by letters.
 */
export function optionsOf(
  args: readonly string[],
  short: Readonly<Record<string, string>>,
  switches: ReadonlySet<string>,
  pairs: ReadonlySet<string> = new Set(),
): Options {
  const options: (readonly [string, string])[] = [];
  const others: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    const [, name, equal, value = ''] = /^--([\w-]+)(=(.*))?$/s.exec(word) ?? [];
    const letter = /^-[A-Za-z]/.test(word) ? word.charAt(1) : '';
    const long = name ?? (letter === '' ? null : (short[letter] ?? letter));
    if (long === null) others.push(word);
    else if (equal !== undefined) options.push([long, value]);
    else if (letter !== '' && word.length > 2) options.push([long, word.slice(2).replace(/^=/, '')]);
    else if (switches.has(long) || at + 1 >= args.length) options.push([long, 'true']);
    else {
      const values = args.slice(at + 1, at + (pairs.has(long) ? 3 : 2));
      at += values.length;
      options.push([long, values.join(' ')]);
    }
  }
  return { options, others };
}
