// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { HandlersConfig } from './handlers.ts';
import type { RouteConfig } from './route.ts';
import type { TlsConfig } from './tls.ts';
import type { Bytes, Duration, MiddlewareConfig, OneOrMore } from './values.ts';

/** Python processes that run the application. */
export interface WorkersConfig {
  /**
   * Workers that stay when there is little to do. More are started while requests wait. Takes a whole number from 0
   * to 256. Default: as many as max.
   */
  readonly min?: number | undefined;
  /** The most workers. Takes a whole number from 1 to 256. Default: 1. */
  readonly max?: number | undefined;
}

/** Functions of an application in Python, each one as MODULE:FUNCTION. */
export interface HooksConfig {
  /** Functions to call in each worker before its first request. Takes MODULE:FUNCTION, such as shop.hooks:connect. */
  readonly afterFork?: OneOrMore<string> | undefined;
  /**
   * Functions to call in each worker that ends in order, after its last request. Takes MODULE:FUNCTION, such as
   * shop.hooks:connect.
   */
  readonly beforeExit?: OneOrMore<string> | undefined;
  /**
   * Functions to call when a release serves: once, in a process of its own. Takes MODULE:FUNCTION, such as
   * shop.hooks:connect.
   */
  readonly onReady?: OneOrMore<string> | undefined;
  /**
   * Functions to call when another release has replaced this one: once, in a process of its own. Takes
   * MODULE:FUNCTION, such as shop.hooks:connect.
   */
  readonly onReload?: OneOrMore<string> | undefined;
}

/** An application that routes name. */
export interface ApplicationConfig {
  /**
   * Directory or file of the project, or the application in it. MODULE:FACTORY() calls a factory. Takes a PATH or
   * MODULE:CALLABLE.
   */
  readonly target: string;
  /** Directory of the project. Takes the path of a directory. Default: the directory of the settings file. */
  readonly chdir?: string | undefined;
  /**
   * Interpreter or virtual environment that runs the application. Takes the path of an interpreter or of a virtual
   * environment. Default: the setting python, or else the project's virtual environment.
   */
  readonly python?: string | undefined;
  /**
   * Python processes that run the application. Takes a whole number from 1 to 256, or a table of min and max.
   * Default: 1.
   */
  readonly workers?: number | WorkersConfig | undefined;
  /** Threads in each worker. Takes a whole number from 1 to 64. Default: the setting threads. */
  readonly threads?: number | undefined;
  /** Middleware around the application, the outermost first. Takes a text, or a table of use and options. */
  readonly middleware?: OneOrMore<MiddlewareConfig> | undefined;
  /** Functions to call at moments in the life of its processes. */
  readonly hooks?: HooksConfig | undefined;
}

/** A text of a map for values that match a pattern. */
export interface MapPatternConfig {
  /** Regular expression for the value. Takes a regular expression. */
  readonly pattern: string;
  /** The text for values that match, with the groups of the pattern. */
  readonly value: string;
}

/** A map: texts for the values of a text with placeholders. */
export interface MapConfig {
  /** The text whose value is looked up. Takes a text with placeholders. */
  readonly source: string;
  /** Texts for exact values. They are looked up first. */
  readonly values?: Readonly<Record<string, string>> | undefined;
  /** Whether values ignore the case of letters. Default: `false`. */
  readonly caseless?: boolean | undefined;
  /** Texts for hosts: a name, or *.NAME for all names below it. The longest name wins. */
  readonly hosts?: Readonly<Record<string, string>> | undefined;
  /** Texts for addresses of clients: a range such as 10.0.0.0/8, or an address. The longest prefix wins. */
  readonly ranges?: Readonly<Record<string, string>> | undefined;
  /** Texts for values that match a pattern. The first that matches wins. */
  readonly pattern?: readonly MapPatternConfig[] | undefined;
  /** The text for all other values. Default: `''`. */
  readonly default?: string | undefined;
}

/** A program that runs beside the application, as long as the server. */
export interface SidecarConfig {
  /**
   * The program and its arguments, split as a shell does, but without a shell. A file that ends in .py is run by the
   * Python of the project. Takes a command line, such as celery -A shop worker, or an array of its words.
   */
  readonly command: string | readonly string[];
  /**
   * The name in the log and in the status. Takes a name of up to 64 letters, digits, dots, hyphens and underscores.
   * Default: the program's name.
   */
  readonly name?: string | undefined;
  /** The working directory. Takes the path of a directory. Default: the directory of the project. */
  readonly directory?: string | undefined;
  /** Variables beside those that workers get. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The signal that asks it to end. Default: `'SIGTERM'`. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGWINCH' | undefined;
  /**
   * The time that it then has. After it, its whole process group is killed. Takes a time from 0s to 1h, such as 500ms
   * or 30s. Default: `'30s'`.
   */
  readonly stopGraceMs?: Duration | undefined;
  /** How many of them run. Takes a whole number from 1 to 64. Default: `1`. */
  readonly count?: number | undefined;
  /** When it is started again after it has ended by itself. on-failure: not after exit code 0. Default: `'always'`. */
  readonly restart?: 'always' | 'on-failure' | 'never' | undefined;
  /** What a reload does to it. keep: nothing, unless its table has changed. Default: `'restart'`. */
  readonly reload?: 'restart' | 'keep' | undefined;
}

/** A command that runs at certain times. */
export interface ScheduleConfig {
  /**
   * The program and its arguments, split as a shell does, but without a shell. A file that ends in .py is run by the
   * Python of the project. Takes a command line, such as celery -A shop worker, or an array of its words.
   */
  readonly command: string | readonly string[];
  /**
   * The name in the log and in the status. Takes a name of up to 64 letters, digits, dots, hyphens and underscores.
   * Default: the program's name.
   */
  readonly name?: string | undefined;
  /** The working directory. Takes the path of a directory. Default: the directory of the project. */
  readonly directory?: string | undefined;
  /** Variables beside those that workers get. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The signal that asks it to end. Default: `'SIGTERM'`. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGWINCH' | undefined;
  /**
   * The time that it then has. After it, its whole process group is killed. Takes a time from 0s to 1h, such as 500ms
   * or 30s. Default: `'30s'`.
   */
  readonly stopGraceMs?: Duration | undefined;
  /**
   * When it runs: minute, hour, day of the month, month and day of the week. Takes five fields of cron, such as 17 3
   * * * *, or @hourly, @daily, @weekly, @monthly or @yearly. Default: none, then everyMs is required.
   */
  readonly cron?: string | undefined;
  /** The time between two starts, instead of cron. Takes a time from 1s to 720h, such as 500ms or 30s. */
  readonly everyMs?: Duration | undefined;
  /**
   * The time zone of cron. Takes the name of a time zone, such as Europe/Zurich or UTC. Default: that of the server
   * process (TZ).
   */
  readonly timeZone?: string | undefined;
  /**
   * A run that takes longer is stopped, as at the end of the server. Takes a time from 1s to 168h, such as 500ms or
   * 30s. Default: `'24h'`.
   */
  readonly timeoutMs?: Duration | undefined;
}

/** How a new release proves itself at a reload, and a file that starts one. */
export interface ReloadConfig {
  /**
   * Paths that a new release must answer, through the whole site, before it takes requests. Without one, its import
   * is enough. Takes a path such as /healthz.
   */
  readonly probe?: OneOrMore<string> | undefined;
  /** The status that the probes expect. Takes a whole number from 100 to 599. Default: any from 200 to 299. */
  readonly probeStatus?: number | undefined;
  /** Time for the answer to each probe. Takes a time from 1ms to 600s, such as 500ms or 30s. Default: `'10s'`. */
  readonly probeTimeoutMs?: Duration | undefined;
  /**
   * The host that the probes ask for: one that the application allows. Takes a host, such as shop.example.org.
   * Default: `'localhost'`.
   */
  readonly probeHost?: string | undefined;
  /** The scheme of the probes. Applications that redirect to https need https. Default: `'http'`. */
  readonly probeScheme?: 'http' | 'https' | undefined;
  /**
   * Time for which a new release is compared with the old one, which stays ready to take over again. 0: no
   * comparison. Takes a time from 0s to 1h, such as 500ms or 30s. Default: `0`.
   */
  readonly watchMs?: Duration | undefined;
  /**
   * The share of the clients that the new release gets during watchMs. The same address always gets the same release.
   * Takes a number from 0.001 to 1. Default: `1`.
   */
  readonly share?: number | undefined;
  /**
   * By how much the share of failed requests of the new release may be higher. Above, the old one takes over again.
   * Takes a number from 0 to 1. Default: `0.05`.
   */
  readonly errorRateMax?: number | undefined;
  /**
   * How many times as long requests may take in the new release (p50 and p95). Above, the old one takes over again.
   * Takes a number from 1 to 1000. Default: `2`.
   */
  readonly latencyRatioMax?: number | undefined;
  /** Requests of the new release before it is compared. Takes a whole number from 1 to 1000000. Default: `50`. */
  readonly requestsMin?: number | undefined;
  /** A file that starts a reload when it is touched. It may be missing at first. Takes the path of a file. */
  readonly touch?: string | undefined;
}

/** Which requests are recorded, and how many records are kept. */
export interface TraceConfig {
  /**
   * The share of requests that are recorded in full: 0.01 is one of a hundred. A route can have its own. Takes a
   * number from 0 to 1. Default: `0`.
   */
  readonly sample?: number | undefined;
  /**
   * Whether the stages of each request are kept that failed: a status from 500, or a response that broke off.
   * Default: `true`.
   */
  readonly keepFailed?: boolean | undefined;
  /** Whether the stages of each request are kept that was slower than 99 of 100 of its route. Default: `true`. */
  readonly keepSlow?: boolean | undefined;
  /**
   * Memory for the records of each server process. The oldest are dropped for newer ones. Takes a size from 64KiB,
   * such as 65536 or 64KiB. Default: `'64MiB'`.
   */
  readonly memoryBytesMax?: Bytes | undefined;
  /** How many records each server process keeps at most. Takes a whole number from 1 to 1000000. Default: `10000`. */
  readonly entriesMax?: number | undefined;
  /**
   * The key of tokens with which a client lets its request be recorded. Better in a file: secretFile. Takes at least
   * 16 characters. Default: none: there are no such tokens.
   */
  readonly secret?: string | undefined;
  /** The file with that key. It is read at the start and at each reload. Takes the path of a file. */
  readonly secretFile?: string | undefined;
  /** Whose tokens count: those of all clients, or those of trusted proxies. Default: `'any'`. */
  readonly tokensFrom?: 'any' | 'trusted' | undefined;
  /** Whether the parameters of queries are recorded. They are often personal data. Default: `false`. */
  readonly sqlParameters?: boolean | undefined;
  /** Whether a record belongs to the trace that a trusted proxy states with traceparent. Default: `'trust'`. */
  readonly traceparent?: 'trust' | 'ignore' | undefined;
}

/** Where requests go, and the handlers that all of them pass. */
export interface SiteConfig extends HandlersConfig {
  /** Applications that routes name. */
  readonly apps?: Readonly<Record<string, ApplicationConfig>> | undefined;
  /** Functions of the main application to call at moments in the life of its processes. */
  readonly hooks?: HooksConfig | undefined;
  /** Maps: texts for the values of a text with placeholders. */
  readonly map?: Readonly<Record<string, MapConfig>> | undefined;
  /** Programs that run beside the application, as long as the server. */
  readonly process?: readonly SidecarConfig[] | undefined;
  /** Commands that run at certain times. */
  readonly schedule?: readonly ScheduleConfig[] | undefined;
  /** How a new release proves itself at a reload, and a file that starts one. */
  readonly reload?: ReloadConfig | undefined;
  /** Routes. */
  readonly route?: readonly RouteConfig[] | undefined;
  /** Which requests are recorded, and how many records are kept. */
  readonly trace?: TraceConfig | undefined;
  /** Certificates for https. */
  readonly tls?: TlsConfig | undefined;
  /**
   * What trusted proxies may state about a request. Their fields about everything else are removed. Takes address,
   * scheme, host, port, prefix, user, or the name of a field X-Forwarded-*. Default: `['address','scheme']`.
   */
  readonly trustedProxyValues?: OneOrMore<string> | undefined;
  /** The fields (headers) that trusted proxies write. The others are removed. Default: `'any'`. */
  readonly trustedProxyFields?: 'any' | 'x-forwarded' | 'forwarded' | undefined;
  /** Directories with files that an application may name in X-Sendfile. Takes the path of a directory. */
  readonly sendfile?: OneOrMore<string> | undefined;
  /** Whether requests must pass all of access, basicAuth and forwardAuth, or any of them. Default: `'all'`. */
  readonly satisfy?: 'all' | 'any' | undefined;
}
