import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type ConnectionOptions, Connections } from '../../src/http/http1/http1-server.ts';

export interface TestServer {
  readonly port: number;
  readonly connections: Connections;
  /** What was reported to the log. */
  readonly errors: readonly unknown[];
  close(): void;
}

/** Speaks HTTP on a free port of 127.0.0.1 in this process. */
export async function serve(
  options: Partial<ConnectionOptions> & Pick<ConnectionOptions, 'handle'>,
): Promise<TestServer> {
  const errors: unknown[] = [];
  const connections = new Connections({
    limits: {},
    onAnswered: null,
    onError: (error) => errors.push(error),
    ...options,
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    connections.accept(socket, 0),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    connections.destroy();
  };
  return { port: (server.address() as AddressInfo).port, connections, errors, close };
}
