import type { Disk, Probe } from '../../check/outcome.ts';
import type { Address, Handler, Level, Location, Model, Server } from './model.ts';
import type { Pattern } from './pattern.ts';
import type { Template } from './template.ts';
import { UnknownMeaning, UnknownVariable } from './unknown-meaning.ts';

/** How often nginx changes the URI of a request before it gives up. */
const URI_CHANGES_MAX = 10;

/** Finds the value of a variable. */
export type FindVariable = (exchange: Exchange, name: string) => string;

/** What an exchange asks: the configuration, the disk, and the values of variables. */
export interface Surroundings {
  readonly model: Model;
  readonly disk: Disk;
  readonly find: FindVariable;
}

/** A request on its way through the phases. The names are those of nginx's `ngx_http_request_t`. */
export class Exchange {
  readonly around: Surroundings;
  readonly probe: Probe;
  readonly address: Address;
  readonly isSubrequest: boolean;
  server: Server;
  /** Where the request is: its settings count. */
  level: Level;
  location: Location | null = null;
  /** What answers: an `if` with a handler of its own replaces that of the location, also for an `if` after it. */
  handler: Handler | null = null;
  /** The first location, or the server where none matches. */
  first: Level | null = null;
  method: string;
  protocol = 'HTTP/1.1';
  /** The address of the client. `unix:` for all clients of a Unix socket. */
  readonly client: string;
  /** Without port, in lower case. Empty for a request that lacks one. */
  host = '';
  /** Empty where the target was refused. */
  uri = '';
  args = '';
  /** The target as received. */
  requestUri = '';
  isQuoted = false;
  hasPlus = false;
  isInternal = false;
  validLocation = true;
  validRequestUri = true;
  uriChanged = false;
  uriChangesLeft = URI_CHANGES_MAX + 1;
  addsUriToAlias = false;
  /** Groups of the pattern that matched last: `$0`, `$1` and so on. */
  captures: readonly string[] = [];
  /** An error page was looked for, and must not be again. */
  sawErrorPage = false;
  /** The value of Location. */
  redirectTo: string | null = null;
  /** The status of a refusal that `satisfy any` holds back. */
  refusal: number | null = null;
  /** What replaces the status of the response. */
  errorStatus: number | null = null;
  /** Credentials were read, and they are accepted. */
  isAuthorized: boolean;
  /** Fields that were accepted, with names in lower case. */
  fields: readonly (readonly [name: string, value: string])[] = [];
  /** Values of `set`, of named groups, and of maps once they are known. A subrequest has those of its request, and leaves it its own. */
  readonly assigned: Map<string, string>;
  /** What variables had as their value when they were read last, also by a subrequest. */
  readonly #read: Map<string, string>;

  /** `parent` is the request of a subrequest; null for another one. */
  constructor(around: Surroundings, probe: Probe, address: Address, server: Server, parent: Exchange | null) {
    this.around = around;
    this.probe = probe;
    this.address = address;
    this.server = server;
    this.level = server;
    this.isSubrequest = parent !== null;
    this.assigned = parent?.assigned ?? new Map();
    this.#read = parent === null ? new Map() : parent.#read;
    this.method = probe.method;
    this.isAuthorized = probe.authorized;
    this.client = address.address.startsWith('unix:') ? 'unix:' : probe.client;
  }

  /** Enters a location, or the server without one. `limit_except` has a level of its own. */
  enter(location: Location | null): void {
    this.location = location;
    const limit = location?.limit ?? null;
    const isLimited = limit !== null && !limit.methods.has(this.method);
    this.level = isLimited ? limit.level : (location ?? this.server);
    this.handler = this.level.handler;
  }

  /** Enters an `if` whose condition holds. */
  enterIf(level: Level): void {
    this.level = level;
    if (level.handler !== this.location?.handler) this.handler = level.handler;
  }

  /** The text of a template. A group or a variable without a value is empty. */
  evaluate(template: Template, group = (text: string) => text): string {
    let text = '';
    for (const part of template) {
      if (part.kind === 'text') text += part.text;
      else if (part.kind === 'capture') text += group(this.captures[part.index] ?? '');
      else {
        const value = this.around.find(this, part.name);
        this.#read.set(part.name, value);
        text += value;
      }
    }
    return text;
  }

  /** The text of an `index`: nginx does not read again what was read before, although it may have changed. */
  evaluateOnce(template: Template): string {
    return template
      .map((part) => (part.kind === 'variable' ? this.#read.get(part.name) : undefined) ?? this.evaluate([part]))
      .join('');
  }

  /** The value of a field or a CGI variable: null if the model does not know a variable in it. The rest of the request is known all the same. */
  valueOf(template: Template): string | null {
    // the password of a probe is not compared
    if (template.some((part) => part.kind === 'variable' && part.name === 'http_authorization')) return null;
    try {
      return this.evaluate(template);
    } catch (error) {
      if (error instanceof UnknownVariable) return null;
      throw error;
    }
  }

  /** Matches as nginx does: a match sets the groups, and a pattern without groups empties them. */
  match(pattern: Pattern, value: string): boolean {
    if (pattern.regex === null) throw new UnknownMeaning(`the pattern ${pattern.source}: ${pattern.wrong}`);
    const found = pattern.regex.exec(value);
    if (found === null) return false;
    this.keepGroups(found);
    return true;
  }

  keepGroups(found: RegExpExecArray): void {
    for (const [name, value] of Object.entries(found.groups ?? {})) this.assigned.set(name, value ?? '');
    this.captures = found.length === 1 ? [] : [...found].map((group) => group ?? '');
  }
}
