import { availableParallelism } from 'node:os';

interface Common {
  /** One line for `--help`. */
  readonly help: string;
  /** Why the default is what it is. */
  readonly reason: string;
  readonly group: 'what to serve' | 'how' | 'limits for clients' | 'application server' | 'static files';
  /** The default in words, when it depends on where the program runs. */
  readonly defaultText?: string;
}

/** A setting is declared once, here. Flags, `VIADUCT_*`, the keys of the files, `--help` and docs/settings.md derive from it. */
export type Setting = Common &
  (
    | {
        readonly kind: 'integer' | 'bytes' | 'duration';
        readonly default: number;
        readonly min: number;
        readonly max: number;
      }
    | { readonly kind: 'boolean'; readonly default: boolean }
    | { readonly kind: 'choice'; readonly default: string; readonly choices: readonly string[] }
    | { readonly kind: 'path'; readonly default: null; readonly shows: string }
    | {
        readonly kind: 'list';
        readonly default: readonly string[];
        readonly shows: string;
        readonly item: 'address' | 'mount';
      }
  );

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MINUTE = 60_000;

export const SETTINGS = {
  chdir: {
    kind: 'path',
    default: null,
    shows: 'DIR',
    defaultText: 'the current directory',
    group: 'what to serve',
    help: 'Directory of the project, when it is not the current one.',
    reason: 'A project is usually served from where it stands.',
  },
  python: {
    kind: 'path',
    default: null,
    shows: 'PATH',
    defaultText: "the project's virtual environment, else python3",
    group: 'what to serve',
    help: 'Interpreter or virtual environment to run the application with.',
    reason: 'The virtual environment beside a project is the one that it was installed into.',
  },
  static: {
    kind: 'list',
    default: [],
    shows: '/url/=DIR',
    item: 'mount',
    group: 'what to serve',
    help: 'Serve the files of DIR below /url/. May be given several times.',
    reason: "Django's STATIC_URL and STATIC_ROOT are found without it.",
  },
  listen: {
    kind: 'list',
    default: ['127.0.0.1:8000'],
    shows: 'ADDRESS',
    item: 'address',
    group: 'how',
    help: '8000, HOST:PORT, [::1]:PORT, unix:PATH or fd:3. May be given several times.',
    reason: 'Nobody but this machine gets in before somebody says so.',
  },
  workers: {
    kind: 'integer',
    default: Math.min(availableParallelism(), 256),
    defaultText: 'the number of processor cores',
    min: 1,
    max: 256,
    group: 'how',
    help: 'Python processes that run the application.',
    reason: 'One interpreter keeps one core busy.',
  },
  threads: {
    kind: 'integer',
    default: 4,
    min: 1,
    max: 64,
    group: 'how',
    help: 'Threads in each worker.',
    reason:
      'Views wait for databases and networks; four at once hide that, and short views are not spread over threads anyway.',
  },
  preload: {
    kind: 'boolean',
    default: process.platform === 'linux',
    defaultText: 'yes on Linux, no elsewhere',
    group: 'how',
    help: 'Import the application once and fork the workers from there.',
    reason: 'Workers share memory and start in milliseconds. On macOS system libraries do not survive a fork.',
  },
  accessLog: {
    kind: 'choice',
    default: process.stdout.isTTY === true ? 'text' : 'json',
    defaultText: 'text in a terminal, json elsewhere',
    choices: ['off', 'text', 'json', 'combined'],
    group: 'how',
    help: 'Format of the access log on standard output.',
    reason: 'People read terminals, programs read everything else.',
  },
  dev: {
    kind: 'boolean',
    default: false,
    group: 'how',
    help: 'Development: tracebacks as pages, static and media files without collectstatic, reload when a file changes.',
    reason: 'A traceback tells strangers too much.',
  },
  gracefulTimeoutMs: {
    kind: 'duration',
    default: 30_000,
    min: 0,
    max: 60 * MINUTE,
    group: 'how',
    help: 'How long running requests may take to finish when the server stops.',
    reason: 'What service managers wait at least before they kill.',
  },
  connectionsMax: {
    kind: 'integer',
    default: 20_000,
    min: 1,
    max: 1_000_000,
    group: 'limits for clients',
    help: 'Open client connections; further ones are closed at once.',
    reason: 'An idle connection costs under 6 KB: about 120 MB at the limit.',
  },
  requestLineBytesMax: {
    kind: 'bytes',
    default: 8 * KIB,
    min: 64,
    max: MIB,
    group: 'limits for clients',
    help: 'Length of a request line; then 414.',
    reason: 'RFC 9112 section 3 recommends at least 8000 bytes.',
  },
  headerBytesMax: {
    kind: 'bytes',
    default: 32 * KIB,
    min: 256,
    max: 4 * MIB,
    group: 'limits for clients',
    help: 'Length of all header lines of a request; then 431.',
    reason: 'Twice what browsers send with full cookies.',
  },
  headerCountMax: {
    kind: 'integer',
    default: 100,
    min: 1,
    max: 10_000,
    group: 'limits for clients',
    help: 'Header lines of a request; then 431.',
    reason: 'Browsers send about twenty.',
  },
  bodyBytesMax: {
    kind: 'bytes',
    default: GIB,
    min: 0,
    max: 1024 * GIB,
    group: 'limits for clients',
    help: 'Content of a request; then 413.',
    reason: 'Uploads wait on disk, not in memory; the application has limits of its own.',
  },
  chunkExtensionBytesMax: {
    kind: 'bytes',
    default: 4 * KIB,
    min: 0,
    max: MIB,
    group: 'limits for clients',
    help: 'Chunk extensions of a request together; then 400.',
    reason: 'Nobody uses them but attackers.',
  },
  trailerBytesMax: {
    kind: 'bytes',
    default: 8 * KIB,
    min: 0,
    max: MIB,
    group: 'limits for clients',
    help: 'Trailer lines of a request together; then 431.',
    reason: 'A few checksums.',
  },
  headerTimeoutMs: {
    kind: 'duration',
    default: 15_000,
    min: 50,
    max: 60 * MINUTE,
    group: 'limits for clients',
    help: "Time for a request's head to arrive; then 408.",
    reason: 'A head is one packet; the slowest phone needs seconds.',
  },
  bodyTimeoutMs: {
    kind: 'duration',
    default: 30_000,
    min: 50,
    max: 60 * MINUTE,
    group: 'limits for clients',
    help: "Time between two packets of a request's content; then 408.",
    reason: 'Long enough for a train in a tunnel.',
  },
  keepAliveTimeoutMs: {
    kind: 'duration',
    default: 75_000,
    min: 50,
    max: 60 * MINUTE,
    group: 'limits for clients',
    help: 'Time that an idle connection stays open.',
    reason: "nginx's; balancers before a server usually close first, after 60 seconds.",
  },
  writeTimeoutMs: {
    kind: 'duration',
    default: 60_000,
    min: 50,
    max: 60 * MINUTE,
    group: 'limits for clients',
    help: 'Time without the client taking anything of a response; then the connection is closed.',
    reason: "nginx's send_timeout.",
  },
  queueMax: {
    kind: 'integer',
    default: 1024,
    min: 0,
    max: 1_000_000,
    group: 'application server',
    help: 'Requests that may wait for a worker; then 503 with Retry-After.',
    reason: 'Past it clients have left before their turn comes.',
  },
  laneDepthMax: {
    kind: 'integer',
    default: 64,
    min: 1,
    max: 1024,
    group: 'application server',
    help: 'Requests that may be sent ahead to one worker thread.',
    reason: 'Only as many are sent as keep the wait under a millisecond; more than 64 gain nothing measurable.',
  },
  bodyMemoryBytesMax: {
    kind: 'bytes',
    default: 256 * KIB,
    min: 0,
    max: GIB,
    group: 'application server',
    help: 'Content of a request that waits in memory; more goes to a file.',
    reason: 'Forms fit, uploads do not.',
  },
  responseBufferBytesMax: {
    kind: 'bytes',
    default: 16 * MIB,
    min: 64 * KIB,
    max: GIB,
    group: 'application server',
    help: 'How much of a response waits for a slow client before the worker has to.',
    reason: 'Nearly every page and picture, so that a worker is free at once.',
  },
  retryIdempotent: {
    kind: 'boolean',
    default: false,
    group: 'application server',
    help: 'Start a GET, HEAD, OPTIONS, PUT or DELETE once more when the worker that ran it died.',
    reason: 'A request that killed one worker may kill the next.',
  },
  startTimeoutMs: {
    kind: 'duration',
    default: MINUTE,
    min: 1000,
    max: 60 * MINUTE,
    group: 'application server',
    help: 'Time for the application to be imported and its workers to be ready.',
    reason: 'Large Django projects import for ten seconds on a cold disk.',
  },
  staticCacheBytesMax: {
    kind: 'bytes',
    default: 64 * MIB,
    min: 0,
    max: 64 * GIB,
    group: 'static files',
    help: 'Memory for small static files.',
    reason: 'More than the assets of most sites.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type Value<S> = S extends { readonly kind: 'integer' | 'bytes' | 'duration' }
  ? number
  : S extends { readonly kind: 'boolean' }
    ? boolean
    : S extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
      ? C
      : S extends { readonly kind: 'path' }
        ? string | null
        : readonly string[];

/** All settings with their final values. Paths are absolute; sizes in bytes, times in milliseconds. */
export type Settings = { readonly [Name in SettingName]: Value<(typeof SETTINGS)[Name]> };

/** The setting's key in files: `header_timeout_ms`. */
export function fileKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Its flag: `--header-timeout-ms`. */
export function flagName(name: string): string {
  return `--${fileKey(name).replaceAll('_', '-')}`;
}

/** Its variable: `VIADUCT_HEADER_TIMEOUT_MS`. */
export function environmentName(name: string): string {
  return `VIADUCT_${fileKey(name).toUpperCase()}`;
}

export function settingNames(): SettingName[] {
  return Object.keys(SETTINGS) as SettingName[];
}
