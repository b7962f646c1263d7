import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BIN } from './viaduct.ts';

/** Runs a command of the real program that ends by itself, or is ended after a minute. */
export async function runViaduct(
  cwd: string,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (block: Buffer) => {
      output += block.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
