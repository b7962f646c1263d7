import type { Draft } from '../config-builder.ts';
import type { Ledger } from '../import-report.ts';
import type { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** What all translators of one configuration share. */
export interface NginxContext {
  readonly ledger: Ledger;
  readonly draft: Draft;
  readonly http: Scope;
  readonly upstreams: ReadonlyMap<string, Directive>;
  /** `limit_req_zone` and `limit_conn_zone` by kind and name. */
  readonly zones: ReadonlyMap<string, Directive>;
  /** A path of the configuration as it is to stand in the settings file. */
  readonly pathOf: (written: string) => string;
}

/** A `location`, or a server as far as none of its locations has the request. */
export interface Location {
  readonly directive: Directive;
  readonly scope: Scope;
  /** `first` is `^~`. */
  readonly kind: 'exact' | 'prefix' | 'first' | 'pattern' | 'named';
  /** The path, the name, or the expression. */
  readonly path: string;
  /** Names of the groups of a pattern. */
  readonly groups: readonly string[];
}

/** A `server` block with what is in it. */
export interface Server {
  readonly directive: Directive;
  readonly scope: Scope;
  readonly listens: readonly Listen[];
  /** As routes take them. */
  readonly names: readonly string[];
  readonly nameDirectives: readonly Directive[];
  readonly locations: readonly Location[];
  /** The server that gets what is for no name, on one of its addresses. */
  readonly isDefault: boolean;
  readonly isSecure: boolean;
}

/** An address as `listen` has it. */
export interface Listen {
  readonly directive: Directive;
  /** Without scheme. */
  readonly address: string;
  readonly secure: boolean;
  readonly isDefault: boolean;
  readonly proxyProtocol: boolean;
}
