import type { ConfigBuilder } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import type { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** Shared by all translators of one configuration. */
export interface NginxContext {
  readonly report: ImportReport;
  readonly builder: ConfigBuilder;
  readonly http: Scope;
  readonly upstreams: ReadonlyMap<string, Directive>;
  /** `limit_req_zone` and `limit_conn_zone` by kind and name. */
  readonly zones: ReadonlyMap<string, Directive>;
  /** A path of the configuration as the settings file needs it. */
  readonly pathOf: (written: string) => string;
}

/** A `location`, or a server for requests that none of its locations match. */
export interface Location {
  readonly directive: Directive;
  readonly scope: Scope;
  /** `first` means `^~`. */
  readonly kind: 'exact' | 'prefix' | 'first' | 'pattern' | 'named';
  /** The path, the name, or the expression. */
  readonly path: string;
  /** Names of the groups of a pattern. */
  readonly groups: readonly string[];
}

/** A `server` block with its content. */
export interface Server {
  readonly directive: Directive;
  readonly scope: Scope;
  readonly listens: readonly Listen[];
  /** Host names in the form that routes use. */
  readonly names: readonly string[];
  readonly nameDirectives: readonly Directive[];
  readonly locations: readonly Location[];
  /** Whether this is the default server of one of its addresses. */
  readonly isDefault: boolean;
  readonly isSecure: boolean;
}

/** An address of `listen`. */
export interface Listen {
  readonly directive: Directive;
  /** The address without its scheme. */
  readonly address: string;
  readonly secure: boolean;
  readonly isDefault: boolean;
  readonly proxyProtocol: boolean;
}
