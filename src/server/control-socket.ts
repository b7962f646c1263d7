import { messageOf } from '../errors.ts';
import { Http1Server } from '../http/http1/http1-server.ts';
import { Listener } from '../listen/listener.ts';
import type { Log } from '../log/log.ts';
import { backendsApi, type ControlledBackends } from './backends-api.ts';

/** Only the user who runs the server may change it. */
const MODE = 0o600;

/** The open control socket of a running server. */
export interface RunningControl {
  close(): void;
}

/**
 * Listens on the Unix socket `path` for commands to the running server. The commands are HTTP requests.
 *
 * @throws ViaductError `LISTEN` with the reason.
 */
export async function startControl(path: string, control: ControlledBackends, log: Log): Promise<RunningControl> {
  const connections = new Http1Server({
    handle: backendsApi(control),
    limits: {},
    onAnswered: null,
    onError: (error) => log.error(`The control socket failed: ${messageOf(error)}`),
  });
  const address = { kind: 'unix', path, mode: MODE } as const;
  const listener = new Listener(
    { address, index: 0, tls: null, proxyProtocol: null },
    new Map([['http/1.1', connections]]),
  );
  await listener.listen();
  return {
    close() {
      listener.close();
      connections.destroy();
    },
  };
}
