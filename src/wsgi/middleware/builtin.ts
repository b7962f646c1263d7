import { createWriteStream, readFileSync } from 'node:fs';
import { ViaductError } from '../../errors.ts';
import type { Middleware } from '../contract.ts';
import type { ListenerEnviron } from '../variables.ts';
import { methodOverride } from './method-override.ts';
import { recorder } from './recorder.ts';
import { replayer } from './replayer.ts';
import { requestId } from './request-id.ts';
import { timing } from './timing.ts';

/** Options of a middleware, as a settings file can hold them. */
type Options = Readonly<Record<string, unknown>>;

interface Builtin {
  /** The options by name, as files spell them, and the kind of each. */
  readonly takes: Readonly<Record<string, 'text' | 'texts' | 'number' | 'flag'>>;
  readonly make: (options: Options) => Middleware;
}

/** Middleware that a configuration names as `viaduct:NAME`: all whose options are plain data. Paths are relative to the current directory. */
const BUILTIN: Readonly<Record<string, Builtin>> = {
  'request-id': { takes: { header: 'text', trusted: 'flag' }, make: requestId },
  timing: { takes: { name: 'text' }, make: timing },
  'method-override': { takes: { methods: 'texts', header: 'text', field: 'text' }, make: methodOverride },
  recorder: { takes: { file: 'text', body_bytes_max: 'number', hidden: 'texts' }, make: recordTo },
  replayer: { takes: { file: 'text', fallthrough: 'flag' }, make: replayFrom },
};

const KINDS = {
  text: { means: 'a text', test: (value: unknown) => typeof value === 'string' },
  texts: {
    means: 'a list of texts',
    test: (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  },
  number: { means: 'a number', test: (value: unknown) => typeof value === 'number' && value >= 0 },
  flag: { means: 'true or false', test: (value: unknown) => typeof value === 'boolean' },
};

/**
 * The middleware `viaduct:name`.
 *
 * @throws ViaductError `SETTINGS` for an unknown name, an option that the middleware does not take, and a value that it cannot use
 */
export function builtinMiddleware(name: string, options: Options): Middleware {
  const builtin = BUILTIN[name];
  if (builtin === undefined) {
    const advice = `There are: ${Object.keys(BUILTIN).join(', ')}.`;
    throw new ViaductError('SETTINGS', `Cannot use middleware viaduct:${name}: there is no such middleware`, {
      advice,
    });
  }
  for (const [key, value] of Object.entries(options)) checkOption(name, builtin, key, value);
  try {
    return builtin.make(Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), value])));
  } catch (error) {
    throw new ViaductError('SETTINGS', `Cannot use middleware viaduct:${name}: ${(error as Error).message}`);
  }
}

function checkOption(name: string, { takes }: Builtin, key: string, value: unknown): void {
  const kind = takes[key];
  const refused = `Cannot use option ${key} of viaduct:${name}`;
  if (kind === undefined) throw new ViaductError('SETTINGS', `${refused}: it takes ${Object.keys(takes).join(', ')}`);
  if (!KINDS[kind].test(value)) throw new ViaductError('SETTINGS', `${refused}: it must be ${KINDS[kind].means}`);
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function recordTo({ file, ...options }: Options): Middleware {
  if (typeof file !== 'string') throw new TypeError('it needs file, the path to write to');
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  stream.on('error', (error) => process.emitWarning(`Cannot record to "${file}": ${error.message}`));
  const record = recorder({ ...options, onRecorded: (recording) => stream.write(`${JSON.stringify(recording)}\n`) });
  return (application) =>
    Object.assign(record(application), {
      async start(listeners?: readonly ListenerEnviron[]) {
        await application.start?.(listeners);
      },
      async close() {
        await application.close?.();
        stream.end();
      },
    });
}

function replayFrom({ file, ...options }: Options): Middleware {
  if (typeof file !== 'string') throw new TypeError('it needs file, the path of a recording');
  return replayer({ ...options, recordings: readFileSync(file, 'utf8') });
}
