import { ViaductError } from '../errors.ts';
import { closeDebugger } from '../os/signals.ts';
import { VERSION } from '../version.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { backends } from './commands/backends.ts';
import { check } from './commands/check.ts';
import { hashPassword } from './commands/hash-password.ts';
import { importConfiguration } from './commands/import.ts';
import { serve } from './commands/serve.ts';
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
    if (parsed.command === 'serve' || parsed.command === 'web' || parsed.command === 'app') return await serve(parsed);
    const code = await run(parsed);
    await new Promise(setImmediate); // errors of the output come after the writes
    if (failure === null || isClosed(failure)) return code;
    throw new ViaductError('WORKER', `Cannot write the output: ${(failure as Error).message}`);
  } catch (error) {
    return reportError(error, parsed.meant);
  }
}

async function run(parsed: Arguments): Promise<number> {
  if (parsed.command === 'help') process.stdout.write(helpText());
  else if (parsed.command === 'version') process.stdout.write(`viaduct ${VERSION}\n`);
  else if (parsed.command === 'hash-password') return await hashPassword();
  else if (parsed.command === 'backends') return await backends(parsed);
  else if (parsed.command === 'import') return await importConfiguration(parsed);
  else return await check(parsed);
  return 0;
}

/** A reader that wants no more, as with `viaduct check | head` or a closed terminal, is not a failure. */
function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO';
}
