import type { Backend } from '../backend.ts';

/** The used properties of an EndpointSlice (discovery.k8s.io/v1). */
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

/** The backends of a service, collected from its slices. */
export class EndpointSlices {
  readonly #port: string;
  readonly #backendAt: (host: string, port: number) => Backend;
  /** The backends of each slice, by address. */
  readonly #slices = new Map<string, ReadonlyMap<string, Backend>>();
  /** The resourceVersion from which the next watch continues. */
  version = '';

  /** `port` is a name or a number. */
  constructor(port: string, backendAt: (host: string, port: number) => Backend) {
    this.#port = port;
    this.#backendAt = backendAt;
  }

  /** All current backends. */
  get backends(): readonly Backend[] {
    const all: Backend[] = [];
    for (const slice of this.#slices.values()) for (const backend of slice.values()) all.push(backend);
    return all;
  }

  /** Removes all slices before a new list is added. */
  clear(): void {
    this.#slices.clear();
  }

  addAll({ metadata, items }: EndpointSliceList): void {
    this.version = metadata?.resourceVersion ?? '';
    for (const slice of items ?? []) this.#set(slice);
  }

  /** Applies an event of a watch. Returns whether backends may have changed. */
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
      .flatMap((endpoint) => endpoint.addresses ?? []);
    const name = metadata?.name ?? '';
    const previous = this.#slices.get(name);
    const backends = new Map<string, Backend>();
    for (const host of port?.port === undefined ? [] : addresses) {
      // Most backends of a changed slice are unchanged, so their objects are kept.
      const known = previous?.get(host);
      const isKnown = known !== undefined && known.port === port?.port;
      backends.set(host, isKnown ? known : this.#backendAt(host, port?.port as number));
    }
    this.#slices.set(name, backends);
  }
}
