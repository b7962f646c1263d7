import { basename } from 'node:path';
import { createLog, type Log } from '../../observe/log.ts';
import { type RunningServer, startServer } from '../../server.ts';
import { VERSION } from '../../version.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';

/** `viaduct serve`: finds the project, serves it until a signal ends it, and resolves to the exit code. */
export async function serve(parsed: Arguments): Promise<number> {
  const { settings, project } = prepare(parsed);
  const colours = palette(process.stderr);
  const log = createLog(
    process.stderr.isTTY === true || settings.accessLog === 'text' ? 'text' : 'json',
    process.stderr,
  );
  process.stderr.write(findingLines(project.findings, colours));
  const server = await startServer({ settings, project, log, accessLog: process.stdout });
  const ended = runUntilSignal(server, log);
  const where = server.urls.join(' and ');
  process.stderr.write(`Viaduct ${VERSION} serves ${basename(project.directory)} on ${colours.bold(where)}\n`);
  if (process.stdin.isTTY === true) process.stderr.write(`${colours.dim('Press Ctrl-C to stop.')}\n`);
  return ended;
}

/** Every signal only adds to what is to be done; the first to stop is graceful, a second one is not. */
function runUntilSignal(server: RunningServer, log: Log): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: 'SIGINT' | 'SIGTERM') => () => {
      if (stopping) {
        server.kill();
        resolve(signal === 'SIGINT' ? 130 : 143);
        return;
      }
      stopping = true;
      if (server.connections > 0 && process.stdin.isTTY === true) {
        process.stderr.write('\nFinishing what runs; press Ctrl-C again to stop now.\n');
      }
      server.stop().then(
        () => resolve(0),
        (error: unknown) => {
          log.error(String(error));
          server.kill();
          resolve(1);
        },
      );
    };
    process.on('SIGINT', stop('SIGINT'));
    process.on('SIGTERM', stop('SIGTERM'));
    process.on('SIGHUP', () => {
      if (!stopping) void reload(server, log);
    });
  });
}

async function reload(server: RunningServer, log: Log): Promise<void> {
  const before = performance.now();
  try {
    await server.reload();
    log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
  } catch (error) {
    const { message, cause } = error as Error;
    log.error(
      `Cannot reload, the old release goes on: ${message}${typeof cause === 'string' ? `\n${cause.trimEnd()}` : ''}`,
    );
  }
}
