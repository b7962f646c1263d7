import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lifetime } from './lifetime.ts';

export interface Slice {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly notReady?: readonly string[];
  readonly port?: number;
}

/** A server that lists and watches EndpointSlices like the API of Kubernetes. */
export class KubernetesApi {
  readonly requests: string[] = [];
  /** Answers the next requests instead of the list; null for the list. */
  failure: { readonly status: number; readonly message: string } | null = null;
  /** The token that requests must have; '' for none. */
  token = '';
  pageSize = 500;
  #version = 1;
  readonly #slices = new Map<string, Slice>();
  readonly #watches = new Set<ServerResponse>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://api');
      this.requests.push(request.url ?? '');
      if (this.token !== '' && request.headers.authorization !== `Bearer ${this.token}`)
        this.#fail(response, 401, 'Unauthorized');
      else if (this.failure !== null) this.#fail(response, this.failure.status, this.failure.message);
      else if (url.searchParams.get('watch') === '1') this.#watch(response);
      else this.#list(response, Number(url.searchParams.get('continue') ?? 0));
    });
  }

  /** Starts it on a free port of 127.0.0.1. */
  static async start(t: Lifetime): Promise<KubernetesApi> {
    const api = new KubernetesApi();
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    t.after(() => api.stop());
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get watching(): number {
    return this.#watches.size;
  }

  set(slice: Slice): void {
    const type = this.#slices.has(slice.name) ? 'MODIFIED' : 'ADDED';
    this.#slices.set(slice.name, slice);
    this.#version += 1;
    this.send({ type, object: this.#object(slice) });
  }

  delete(name: string): void {
    const slice = this.#slices.get(name);
    this.#slices.delete(name);
    this.#version += 1;
    if (slice !== undefined) this.send({ type: 'DELETED', object: this.#object(slice) });
  }

  /** Sends an event to all watches, in pieces. */
  send(event: unknown): void {
    const text = `${JSON.stringify(event)}\n`;
    for (const response of this.#watches) {
      response.write(text.slice(0, 9));
      response.write(text.slice(9));
    }
  }

  /** Ends all watches, as the API does after some time, or cuts their connections. */
  endWatches(ending: 'end' | 'cut'): void {
    for (const response of this.#watches) {
      if (ending === 'end') response.end();
      else response.destroy();
    }
  }

  stop(): void {
    this.endWatches('cut');
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }

  #list(response: ServerResponse, from: number): void {
    const all = [...this.#slices.values()];
    const items = all.slice(from, from + this.pageSize).map((slice) => this.#object(slice));
    const more = from + this.pageSize < all.length ? { continue: `${from + this.pageSize}` } : {};
    response.end(
      JSON.stringify({ kind: 'EndpointSliceList', metadata: { resourceVersion: `${this.#version}`, ...more }, items }),
    );
  }

  #object({ name, addresses, notReady = [], port = 8000 }: Slice): unknown {
    return {
      metadata: { name, resourceVersion: `${this.#version}` },
      ports: [
        { name: 'metrics', port: 9100 },
        { name: 'http', port },
      ],
      endpoints: [
        ...addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
        ...notReady.map((address) => ({ addresses: [address], conditions: { ready: false } })),
        { addresses: ['10.9.9.9'], conditions: { ready: true, terminating: true } },
      ],
    };
  }

  #fail(response: ServerResponse, status: number, message: string): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', code: status, message }));
  }
}
