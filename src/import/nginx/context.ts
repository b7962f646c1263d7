import type { ConfigBuilder } from '../config-builder.ts';
import type { ImportReport } from '../import-report.ts';
import type { Level, Location, Model, Server } from './model/model.ts';
import type { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** Placeholders of a server for the groups of its name, by their names and numbers. */
export type HostGroups = ReadonlyMap<string, string>;

/** Shared by all translators of one configuration. */
export interface NginxContext {
  readonly report: ImportReport;
  readonly builder: ConfigBuilder;
  readonly model: Model;
  readonly http: Scope;
  /** The directives of a server, a location, an `if` or a `limit_except`. */
  readonly scopeOf: (level: Level) => Scope;
  readonly upstreams: ReadonlyMap<string, Directive>;
  /** `limit_req_zone` and `limit_conn_zone` by kind and name. */
  readonly zones: ReadonlyMap<string, Directive>;
  /** Names of the maps that were carried over. */
  readonly maps: ReadonlySet<string>;
  /** Placeholders for the groups of the patterns in `server_name`. */
  readonly hostGroups: ReadonlyMap<Server, HostGroups>;
  /** A path of the configuration as the settings file needs it. */
  readonly pathOf: (written: string) => string;
  /** Where relative paths of the configuration start. */
  readonly directory: string;
}

/** Where a route is: the level that answers its requests, and what is around it. */
export interface RoutePlace {
  readonly server: Server;
  /** Null for a server that answers by itself. */
  readonly location: Location | null;
  readonly level: Level;
  readonly scope: Scope;
}
