import type { Statement } from '../../import-report.ts';
import type { Network } from './network.ts';
import type { Pattern } from './pattern.ts';
import type { Template } from './template.ts';

/**
 * What an nginx configuration means, with all inheritance resolved. Texts are strings of bytes: each character is one byte of UTF-8, as nginx
 * compares them.
 */
export interface Model {
  /** Where relative paths start. */
  readonly prefix: string;
  readonly servers: readonly Server[];
  readonly addresses: readonly Address[];
  readonly upstreams: ReadonlyMap<string, Upstream>;
  /** By the name of the variable, without the dollar sign. */
  readonly variables: ReadonlyMap<string, VariableSource>;
}

/** A listening address and the servers on it. */
export interface Address {
  /** `0.0.0.0:80`, `[::]:443`, `unix:/run/site.sock`. */
  readonly address: string;
  readonly secure: boolean;
  /** In the order of the configuration. */
  readonly servers: readonly Server[];
  readonly defaultServer: Server;
}

/** A group of backends. */
export interface Upstream {
  readonly statement: Statement;
  /** `127.0.0.1:8000` or `unix:/run/a.sock`: those in use, or the backups where there are no others. */
  readonly servers: readonly string[];
}

/** What makes a variable that the configuration declares. */
export type VariableSource =
  | { readonly kind: 'map'; readonly map: VariableMap }
  /** `set`, or a named group of a pattern: empty until one gives it a value. */
  | { readonly kind: 'assigned' }
  /** `split_clients` and others that are not interpreted. */
  | { readonly kind: 'opaque'; readonly statement: Statement };

export interface VariableMap {
  readonly statement: Statement;
  readonly source: Template;
  readonly hostnames: boolean;
  readonly isVolatile: boolean;
  /** By the key in lower case. */
  readonly exact: ReadonlyMap<string, Template>;
  readonly patterns: readonly { readonly pattern: Pattern; readonly value: Template }[];
  /** The networks of a `geo`, those with the longest prefixes first. Empty for a `map`. */
  readonly networks: readonly { readonly network: Network; readonly value: Template }[];
  readonly otherwise: Template;
}

/** A level of the configuration that requests can be in: a server, a location, an `if`, a `limit_except`. */
export interface Level {
  readonly statement: Statement;
  readonly settings: Settings;
  /** What answers instead of files. */
  readonly handler: Handler | null;
  /** Directives of the rewrite module. */
  readonly instructions: readonly Instruction[];
  readonly tryFiles: TryFiles | null;
}

export interface Server extends Level {
  readonly names: readonly ServerName[];
  /** The value of `$server_name`. */
  readonly name: string;
  readonly mergesSlashes: boolean;
  readonly acceptsUnderscores: boolean;
  readonly keepsInvalidFields: boolean;
  readonly locations: readonly Location[];
  /** By the name with its `@`. */
  readonly named: ReadonlyMap<string, Location>;
}

export type ServerName =
  /** In lower case: `example.org`, `*.example.org`, `example.*`, `.example.org` or empty. */
  { readonly kind: 'name'; readonly name: string } | { readonly kind: 'pattern'; readonly pattern: Pattern };

export interface Location extends Level {
  readonly kind: 'exact' | 'prefix' | 'pattern' | 'named';
  /** The path, the name with its `@`, or the source of the pattern. */
  readonly path: string;
  /** Null unless the kind is `pattern`. */
  readonly pattern: Pattern | null;
  /** `^~`: patterns beside it are not tried. */
  readonly isFinal: boolean;
  readonly isInternal: boolean;
  /** The path ends with a slash and a backend answers: nginx redirects requests that lack the slash. */
  readonly addsSlash: boolean;
  readonly locations: readonly Location[];
  readonly limit: MethodLimit | null;
}

/** `limit_except`: the level that counts for all other methods. */
export interface MethodLimit {
  readonly methods: ReadonlySet<string>;
  readonly level: Level;
}

export type Instruction =
  | {
      readonly kind: 'rewrite';
      readonly statement: Statement;
      readonly pattern: Pattern;
      readonly replacement: Template;
      readonly redirect: number | null;
      /** `break` goes on in the same location. */
      readonly staysHere: boolean;
      /** Whether this is the last instruction. */
      readonly ends: boolean;
      readonly keepsArguments: boolean;
    }
  | { readonly kind: 'return'; readonly statement: Statement; readonly status: number; readonly text: Template | null }
  | { readonly kind: 'set'; readonly statement: Statement; readonly name: string; readonly value: Template }
  | { readonly kind: 'break'; readonly statement: Statement }
  | {
      readonly kind: 'if';
      readonly statement: Statement;
      readonly condition: Condition;
      /** Null in a server, where `if` is not a level. */
      readonly level: Level | null;
      readonly then: readonly Instruction[];
    };

export type Condition =
  | { readonly kind: 'true'; readonly value: Template }
  | { readonly kind: 'equal'; readonly value: Template; readonly to: Template; readonly negated: boolean }
  | { readonly kind: 'match'; readonly value: Template; readonly pattern: Pattern; readonly negated: boolean }
  | { readonly kind: 'path'; readonly path: Template; readonly is: 'f' | 'd' | 'e'; readonly negated: boolean }
  | { readonly kind: 'opaque'; readonly reason: string };

export type Protocol = 'http' | 'https' | 'grpc' | 'grpcs' | 'fastcgi' | 'uwsgi' | 'suwsgi' | 'scgi';

export type Handler =
  | {
      readonly kind: 'backend';
      readonly statement: Statement;
      readonly module: 'proxy' | 'grpc' | 'fastcgi' | 'uwsgi' | 'scgi';
      /** The argument: a URL for `proxy_pass`. */
      readonly url: Template;
      /** The path of the location that the URI of the URL replaces. Empty where nothing is replaced. */
      readonly replaces: string;
    }
  /** A handler that is not interpreted, such as `stub_status`. */
  | { readonly kind: 'opaque'; readonly statement: Statement };

export interface TryFiles {
  readonly files: readonly { readonly path: Template; readonly isDirectory: boolean }[];
  /** A status, or a URI or a name with `@`. */
  readonly otherwise: number | Template;
}

/** Settings that a level has or inherits. */
export interface Settings {
  readonly root: Root;
  readonly index: readonly Template[];
  readonly autoindex: boolean;
  readonly access: readonly AccessRule[];
  readonly satisfy: 'all' | 'any';
  /** The realm of `auth_basic`. */
  readonly realm: Template | null;
  readonly hasPasswords: boolean;
  /** The URI of `auth_request`. */
  readonly authRequest: string | null;
  readonly errorPages: readonly ErrorPage[];
  readonly recursiveErrorPages: boolean;
  readonly fields: readonly AddedField[];
  readonly expires: Expires;
  /** Media types by the extension in lower case; null where a file with them is missing. */
  readonly types: ReadonlyMap<string, string> | null;
  readonly defaultType: string;
  readonly absoluteRedirect: boolean;
  readonly portInRedirect: boolean;
  readonly serverNameInRedirect: boolean;
  readonly proxyMethod: Template | null;
  /** Whether the client's fields go to the backend. */
  readonly passesFields: Readonly<Record<SendingModule, boolean>>;
  /** `proxy_set_header`, `grpc_set_header`, `uwsgi_param` and the like, by the module. */
  readonly sent: Readonly<Record<SendingModule, readonly SentField[]>>;
  readonly fastcgiIndex: string;
  /** `fastcgi_split_path_info`: its groups are the script and the rest of the path. */
  readonly fastcgiSplit: Pattern | null;
  /** Directives that the model does not interpret. */
  readonly opaque: readonly (Statement & { readonly name: string })[];
}

export type SendingModule = 'proxy' | 'grpc' | 'fastcgi' | 'uwsgi' | 'scgi';

/** `root` or `alias`. */
export interface Root {
  readonly path: Template;
  /** How much of the URI `alias` replaces: 0 for `root`. `all` is for `alias` in a location with a pattern. */
  readonly replaces: number | 'all';
}

export interface AccessRule {
  readonly statement: Statement;
  readonly allows: boolean;
  /** `all`, `unix:`, an address or a network. */
  readonly network: string;
}

export interface ErrorPage {
  readonly statement: Statement;
  readonly statuses: readonly number[];
  /** What `=` says: null without it, 0 for the status of the answer. */
  readonly status: number | null;
  /** A URI, a name with `@`, or a URL. */
  readonly target: Template;
}

export interface AddedField {
  readonly statement: Statement;
  readonly name: string;
  readonly value: Template;
  readonly always: boolean;
}

export type Expires =
  | { readonly kind: 'off' }
  /** The value of Cache-Control. */
  | { readonly kind: 'value'; readonly cacheControl: string }
  | { readonly kind: 'template'; readonly value: Template; readonly statement: Statement }
  | { readonly kind: 'opaque'; readonly statement: Statement };

export interface SentField {
  readonly name: string;
  readonly value: Template;
  /** `if_not_empty`. */
  readonly unlessEmpty: boolean;
}
