import type { Backend } from '../backend.ts';

/** What of an EndpointSlice (discovery.k8s.io/v1) counts. */
interface EndpointSlice {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[];
        readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
      }[]
    | null;
}

export interface EndpointSliceList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly EndpointSlice[] | null;
}

export interface WatchEvent {
  readonly type?: string;
  readonly object?: EndpointSlice & { readonly code?: number; readonly message?: string };
}

/** The backends of a service, which several slices name together. */
export class EndpointSlices {
  readonly #port: string;
  readonly #backendAt: (host: string, port: number) => Backend;
  readonly #slices = new Map<string, readonly Backend[]>();
  /** Where a watch goes on. */
  version = '';

  /** `port` is a name or a number. */
  constructor(port: string, backendAt: (host: string, port: number) => Backend) {
    this.#port = port;
    this.#backendAt = backendAt;
  }

  /** All that there are now. */
  get backends(): readonly Backend[] {
    return [...this.#slices.values()].flat();
  }

  /** Begins anew with what a list says. */
  clear(): void {
    this.#slices.clear();
  }

  addAll({ metadata, items }: EndpointSliceList): void {
    this.version = metadata?.resourceVersion ?? '';
    for (const slice of items ?? []) this.#set(slice);
  }

  /** Takes an event of a watch in. Returns whether backends may have changed. */
  apply({ type, object = {} }: WatchEvent): boolean {
    this.version = object.metadata?.resourceVersion ?? this.version;
    if (type === 'DELETED') return this.#slices.delete(object.metadata?.name ?? '');
    if (type !== 'ADDED' && type !== 'MODIFIED') return false;
    this.#set(object);
    return true;
  }

  #set({ metadata, ports, endpoints }: EndpointSlice): void {
    const port = (ports ?? []).find(({ name = '', port: number }) => name === this.#port || `${number}` === this.#port);
    const isReady = (conditions: { ready?: boolean; terminating?: boolean } = {}): boolean =>
      conditions.ready !== false && conditions.terminating !== true;
    const addresses = (endpoints ?? [])
      .filter(({ conditions }) => isReady(conditions))
      .flatMap((one) => one.addresses ?? []);
    const backends =
      port?.port === undefined ? [] : addresses.map((host) => this.#backendAt(host, port.port as number));
    this.#slices.set(metadata?.name ?? '', backends);
  }
}
