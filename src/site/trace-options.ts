import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import type { Configuration } from './configuration.ts';
import type { Site } from './schema/site.ts';

/** Which requests are recorded, and how much is kept. */
export interface TraceOptions {
  /** Whether every request is recorded in full, with local variables: in development. */
  readonly records: 'all' | 'share';
  /** The largest share of requests that a route records. A route with a smaller one drops those drawn above its own. */
  readonly shareMax: number;
  readonly keepsFailed: boolean;
  readonly keepsSlow: boolean;
  readonly bytesMax: number;
  readonly entriesMax: number;
  /** The key of tokens; null for none. */
  readonly secret: string | null;
  /** Whether only trusted proxies may send tokens. */
  readonly trustedTokens: boolean;
  readonly sqlParameters: boolean;
  /** Whether a trusted proxy may state the trace that a request belongs to. */
  readonly trustsParent: boolean;
}

type TraceConfig = NonNullable<Site['trace']>;

const DEFAULTS: TraceConfig = {
  sample: 0,
  keep_failed: true,
  keep_slow: true,
  memory_bytes_max: 64 * 1024 * 1024,
  entries_max: 10_000,
  tokens_from: 'any',
  sql_parameters: false,
  traceparent: 'trust',
};

/** The options for traces; null if nobody asked for them: no [trace], no route with `trace`, and no development. */
export function traceOptions(configuration: Configuration): TraceOptions | null {
  if (!isTracing(configuration)) return null;
  const { settings, site, bases } = configuration;
  const shares = site?.route.flatMap(({ trace }) => (trace === undefined ? [] : [trace])) ?? [];
  return optionsOf(site?.trace ?? DEFAULTS, shares, settings.dev, bases.trace ?? '');
}

/** Whether requests are recorded without somebody asking. */
export function isTracing({ settings, site }: Configuration): boolean {
  return settings.dev || site?.trace !== undefined || site?.route.some(({ trace }) => trace !== undefined) === true;
}

/** How a request is recorded for which somebody asked, while nothing else is. */
export function optionsOnRequest(): TraceOptions {
  return { ...optionsOf(DEFAULTS, [], false, ''), keepsFailed: false, keepsSlow: false };
}

function optionsOf(config: TraceConfig, shares: readonly number[], dev: boolean, base: string): TraceOptions {
  return {
    records: dev ? 'all' : 'share',
    shareMax: Math.max(config.sample, ...shares),
    keepsFailed: config.keep_failed,
    keepsSlow: config.keep_slow,
    bytesMax: config.memory_bytes_max,
    entriesMax: config.entries_max,
    secret: readTraceSecret(config, base),
    trustedTokens: config.tokens_from === 'trusted',
    sqlParameters: config.sql_parameters,
    trustsParent: config.traceparent === 'trust',
  };
}

const SECRET_CHARS_MIN = 16;

/**
 * The key of tokens, from its setting or its file; null without one.
 *
 * @throws ViaductError `SETTINGS` if there are two, or the file has none
 */
export function readTraceSecret({ secret, secret_file: file }: Partial<TraceConfig>, base: string): string | null {
  if (file === undefined) return secret ?? null;
  if (secret !== undefined) throw new ViaductError('SETTINGS', 'Cannot use secret: secret_file names one, too');
  const path = resolve(base, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ViaductError('SETTINGS', `Cannot read secret_file "${path}": ${(error as Error).message}`);
  }
  if (text.length >= SECRET_CHARS_MIN) return text;
  throw new ViaductError(
    'SETTINGS',
    `Cannot use secret_file "${path}": it has ${text.length} characters, and at least ${SECRET_CHARS_MIN} are needed`,
  );
}
