import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeThrown, ViaductError } from '../../errors.ts';
import { Http1Server } from '../../http/http1/http1-server.ts';
import type { HttpLimits } from '../../http/transport/limits.ts';
import { Listener } from '../../listen/listener.ts';
import type { Log } from '../../log/log.ts';
import { removeLeftovers } from '../../workers/leftovers.ts';
import { CONTROL_NAME, makePrivateDirectory, runtimeBase } from '../../workers/private-directory.ts';
import { type ControlledServer, controlApi } from './control-api.ts';

/** Only the user who runs the server may change it. */
const MODE = 0o600;
/** Commands are short, and few are sent at once. */
const CONNECTIONS_MAX = 32;
const LIMITS: Partial<HttpLimits> = {
  requestLineBytesMax: 4096,
  headerBytesMax: 8192,
  bodyBytesMax: 0,
  headerTimeoutMs: 5000,
  keepAliveTimeoutMs: 5000,
  writeTimeoutMs: 15_000,
};

/** The open control socket of a running server. */
export interface RunningControl {
  /** Closes the socket and removes it. */
  close(): void;
  /** Opens the socket again if something has removed it, such as a cleaner of temporary files. A path that the user named is left alone. */
  restore(): Promise<void>;
}

/**
 * Listens on the Unix socket `path` for commands to the running server. The commands are HTTP requests.
 *
 * @throws ViaductError `LISTEN` with the reason.
 */
export async function startControl(path: string, control: ControlledServer, log: Log): Promise<RunningControl> {
  const connections = new Http1Server({
    handle: controlApi(control),
    limits: LIMITS,
    connectionsMax: CONNECTIONS_MAX,
    onAnswered: null,
    onError: (error) => log.error(`The control socket failed: ${describeThrown(error)}`),
  });
  const address = { kind: 'unix', path, mode: MODE } as const;
  const listener = new Listener(
    { address, index: 0, tls: null, proxyProtocol: null },
    new Map([['http/1.1', connections]]),
  );
  await listener.listen().catch((error: unknown) => {
    throw cannotListen(error);
  });
  return {
    close() {
      listener.close();
      connections.destroy();
    },
    async restore() {},
  };
}

/**
 * Listens on a socket in a directory of its own, where the commands of this user find it. Removes what servers left there that were killed. The
 * server works without this socket: a failure is a warning in the log, and the result is null.
 */
export async function startFoundControl(control: ControlledServer, log: Log): Promise<RunningControl | null> {
  void removeLeftovers(runtimeBase());
  let opened = await openFound(control, log);
  let isClosed = false;
  if (opened === null) return null;
  return {
    close() {
      isClosed = true;
      opened?.close();
    },
    async restore() {
      if (isClosed || (opened !== null && existsSync(opened.path))) return;
      opened?.close();
      opened = await openFound(control, log);
      if (isClosed) opened?.close();
    },
  };
}

/** Listens in a new private directory; null if that is not possible. */
async function openFound(
  control: ControlledServer,
  log: Log,
): Promise<{ readonly path: string; close(): void } | null> {
  let directory: string | null = null;
  try {
    directory = makePrivateDirectory(runtimeBase());
    const made = directory;
    const path = join(made, CONTROL_NAME);
    const { close } = await startControl(path, control, log);
    return {
      path,
      close() {
        close();
        rmSync(made, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (directory !== null) rmSync(directory, { recursive: true, force: true });
    const { message } = error as Error;
    log.warn(`The control socket is missing, so commands such as viaduct status do not find this server: ${message}`);
    return null;
  }
}

/** The same error as for `listen`, with the setting that it is about. */
function cannotListen(error: unknown): unknown {
  if (!(error instanceof ViaductError)) return error;
  const { code, message, advice, cause } = error;
  return new ViaductError(code, message, { advice: advice.replaceAll('--listen', '--control'), cause });
}
