import { Connections } from '../http/http1/http1-server.ts';
import { Listener } from '../listen/listener.ts';
import type { Log } from '../log/log.ts';
import { backendsApi, type ControlledBackends } from './backends-api.ts';

/** Who runs the server may change it, and nobody else. */
const MODE = 0o600;

/** The control socket of a running server. */
export interface RunningControl {
  close(): void;
}

/**
 * Listens at `path`, a Unix socket, for commands to a running server, in HTTP.
 *
 * @throws ViaductError `LISTEN` with what is in the way.
 */
export async function startControl(path: string, control: ControlledBackends, log: Log): Promise<RunningControl> {
  const connections = new Connections({
    handle: backendsApi(control),
    limits: {},
    onAnswered: null,
    onError: (error) =>
      log.error(`The control socket failed: ${error instanceof Error ? error.message : String(error)}`),
  });
  const address = { kind: 'unix', path, mode: MODE } as const;
  const listener = new Listener(
    { address, index: 0, tls: null, proxyProtocol: null },
    { http1: connections, http2: null, gateway: null },
  );
  await listener.listen();
  return {
    close() {
      listener.close();
      connections.destroy();
    },
  };
}
