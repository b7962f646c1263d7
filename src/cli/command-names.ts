import { nearest } from '../nearest.ts';

/** The commands that talk to a running server. */
export const CONTROL_COMMANDS = [
  'status',
  'workers',
  'requests',
  'backends',
  'stack',
  'metrics',
  'reload',
  'scale',
  'logs',
  'drain',
  'stop',
] as const;

export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

export type Command =
  | 'serve'
  | 'app'
  | 'web'
  | 'check'
  | 'exec'
  | 'import'
  | ControlCommand
  | 'trace'
  | 'top'
  | 'hash-password'
  | 'help'
  | 'version';

/** All commands, with what they do, for `--help`. */
export const COMMANDS: Readonly<Record<Command, string>> = {
  serve: 'Find the application and serve it. This is the default command.',
  app: 'The application server alone: serve the application to a front-end proxy over HTTP, uwsgi, FastCGI or SCGI.',
  web: 'The web server alone: serve routes and files, and forward requests to backends.',
  check: 'Print what would be served, with its settings and routes, and import the application, without serving it.',
  exec: 'Run a command in the environment of the project, with its Python: [flags] COMMAND [arguments].',
  import:
    'Convert the configuration of nginx, gunicorn, uWSGI or Apache, a Procfile, or a unit to viaduct.toml: FILE [--output FILE] [--force] [--from KIND] [--accept NAMES] [--all].',
  status: 'Show what a running server does, and why it is slow.',
  workers: 'List the workers of a running server.',
  requests: 'List the requests that a running server has not answered yet.',
  backends: 'List the backends of a running server, or change one: drain NAME, enable NAME, weight NAME N.',
  stack: 'Print where the threads of the workers of a running server are: [NUMBER | PID] of one worker.',
  metrics: 'Print the metrics of a running server, as OpenMetrics text.',
  reload: 'Let a running server load the new code and settings. Fails if they cannot be used.',
  scale: 'Change the number of workers of a running server until its next reload: N [--app NAME].',
  logs: 'Print the last lines of the logs of a running server: [-f] [-n N] [--errors] [--request ID] [--route NAME] [--status 5xx] [--path PART] [--min-ms N]. Or open its log files again: reopen.',
  trace:
    'Send a request and show the way that it took: URL [-X METHOD] [-H FIELD] [-d CONTENT] [--json] [--har FILE] [--html FILE] [--profile].',
  top: 'Show the workers and the requests of a running server, again each second: [--once] [--json].',
  drain: 'Let load balancers keep requests away from a running server, or (drain off) no longer.',
  stop: 'Stop a running server once its requests are answered.',
  'hash-password': 'Ask for a password and print its hash, for basic_auth.',
  help: 'Print this text.',
  version: 'Print the version.',
};

/** Whether a command talks to a running server. */
export function isControl(command: Command | null): command is ControlCommand {
  return CONTROL_COMMANDS.some((one) => one === command);
}

/** Whether a word of the command line is the name of a command. */
export function isCommand(word: string | undefined): word is Command {
  return word !== undefined && Object.hasOwn(COMMANDS, word);
}

/** The command that a person may have meant by a word that is not one; null if none is like it. */
export function commandLike(word = ''): Command | null {
  if (['run', 'start', 'runserver'].includes(word)) return 'serve';
  if (['test', 'validate'].includes(word)) return 'check';
  return nearest(word, Object.keys(COMMANDS)) as Command | null;
}
