import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Connections } from '../../src/http/connections.ts';
import type { Handler, Next } from '../../src/http/handler.ts';
import { compose } from '../../src/web/compose.ts';

export interface HandlerServer {
  readonly port: number;
  /** What was reported to the log. */
  readonly errors: readonly unknown[];
  close(): void;
}

/** Serves a chain of handlers in this process; `last` answers what they pass on. */
export async function startHandlers(handlers: readonly Handler[], last: Next): Promise<HandlerServer> {
  const errors: unknown[] = [];
  const connections = new Connections({
    handle: compose(handlers, last),
    limits: {},
    onAnswered: null,
    onError: (error) => errors.push(error),
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => connections.accept(socket, 0));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    connections.destroy();
  };
  return { port: (server.address() as AddressInfo).port, errors, close };
}
