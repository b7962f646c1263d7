import { VERSION } from '../version.ts';
import { readArguments } from './arguments.ts';
import { backends } from './commands/backends.ts';
import { check } from './commands/check.ts';
import { hashPassword } from './commands/hash-password.ts';
import { importConfiguration } from './commands/import.ts';
import { serve } from './commands/serve.ts';
import { helpText } from './help.ts';
import { reportError } from './output.ts';

/** Runs the command line `argv` (without node and script); resolves to the exit code when everything is over. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', ignoreClosed);
  process.stderr.on('error', ignoreClosed);
  const parsed = readArguments(argv);
  try {
    if (parsed.command === 'help') process.stdout.write(helpText());
    else if (parsed.command === 'version') process.stdout.write(`viaduct ${VERSION}\n`);
    else if (parsed.command === 'hash-password') return await hashPassword();
    else if (parsed.command === 'backends') return await backends(parsed);
    else if (parsed.command === 'import') return await importConfiguration(parsed);
    else if (parsed.command === 'check') return await check(parsed);
    else return await serve(parsed);
    return 0;
  } catch (error) {
    return reportError(error, parsed.meant);
  }
}

/** `viaduct | head` closes our output, and so does whoever closes the terminal: that is no failure of the server. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
}
