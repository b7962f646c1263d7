import { ViaductError } from '../errors.ts';
import { keepCompiledCode } from '../os/compile-cache.ts';
import { closeDebugger } from '../os/debugger.ts';

import { VERSION } from '../version.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { isControl } from './command-names.ts';
import { helpText } from './help.ts';
import { reportError } from './output.ts';

/** Runs the command line `argv` (without node and script); and resolves to the exit code when everything is over. */
export async function main(argv: readonly string[]): Promise<number> {
  closeDebugger();
  let failure: NodeJS.ErrnoException | null = null;
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error) => {
    failure ??= error;
  });
  const parsed = readArguments(argv);
  try {
    if (parsed.command === 'serve' || parsed.command === 'web' || parsed.command === 'app') {
      keepCompiledCode();
      const { serve } = await import('./commands/serve.ts');
      return await serve(parsed);
    }
    const code = await run(parsed);
    await new Promise(setImmediate); // errors of the output come after the writes
    if (failure === null || isClosed(failure)) return code;
    throw new ViaductError('WORKER', `Cannot write the output: ${(failure as Error).message}`);
  } catch (error) {
    return reportError(error, parsed.meant);
  }
}

/** Each command is loaded when it is wanted: to load the whole server takes longer than to print its version. */
async function run(parsed: Arguments): Promise<number> {
  if (parsed.command === 'help') process.stdout.write(helpText());
  else if (parsed.command === 'version') process.stdout.write(`viaduct ${VERSION}\n`);
  else if (parsed.command === 'hash-password') {
    const { hashPassword } = await import('./commands/hash-password.ts');
    return await hashPassword(parsed.words);
  } else if (parsed.command === 'exec') {
    const { exec } = await import('./commands/exec.ts');
    return await exec(parsed);
  } else if (isControl(parsed.command)) {
    const { control } = await import('./commands/control.ts');
    return await control(parsed.command, parsed);
  } else if (parsed.command === 'trace') {
    const { trace } = await import('./commands/trace.ts');
    return await trace(parsed.words);
  } else if (parsed.command === 'top') {
    const { top } = await import('./commands/top.ts');
    return await top(parsed.words);
  } else if (parsed.command === 'import') {
    const { importConfiguration } = await import('./commands/import.ts');
    return await importConfiguration(parsed);
  } else {
    const { check } = await import('./commands/check.ts');
    return await check(parsed);
  }
  return 0;
}

/** A reader that wants no more, as with `viaduct check | head` or a closed terminal, is not a failure. */
function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO';
}
