import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { SettingInput } from '../../config/setting-input.ts';
import { ViaductError } from '../../errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** The flags that say which server is meant. */
const PLACE = { control: { type: 'string' }, config: { type: 'string' }, chdir: { type: 'string' } } as const;

/** The words after a command with flags of its own. */
export interface ToolWords {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  /** Which server is meant, for `findControl`. */
  readonly place: { readonly flags: readonly SettingInput[]; readonly errors: readonly string[] };
}

/**
 * Reads the words after a command. Besides `options`, each command takes `--control`, `--config` and `--chdir`.
 *
 * @throws ViaductError `USAGE` with `form`, which is how to write the command
 */
export function readToolWords(words: readonly string[], options: Options, form: string): ToolWords {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { ...options, ...PLACE, json: { type: 'boolean' } },
    });
    const flags = (['control', 'config', 'chdir'] as const).flatMap((name): SettingInput[] => {
      const value = (values as Record<string, unknown>)[name];
      if (typeof value !== 'string') return [];
      return [{ name, origin: `--${name}`, values: [{ raw: value, shown: `--${name} ${value}` }] }];
    });
    return { values: values as ToolWords['values'], positionals, place: { flags, errors: [] } };
  } catch (error) {
    throw wrongWords((error as Error).message.replace(/\. .*$/s, ''), form);
  }
}

export function wrongWords(state: string, form: string): ViaductError {
  return new ViaductError('USAGE', `Cannot use these arguments: ${state}`, { advice: `Write ${form}.` });
}
