import type { ConfigBuilder } from '../config-builder.ts';
import { writeContent } from './content.ts';
import type { NginxContext } from './context.ts';
import { writeFeatures } from './features.ts';
import { textOf } from './model/bytes.ts';
import type { Level, Location, Server } from './model/model.ts';
import type { Template } from './model/template.ts';
import { addRoute, type RouteHosts, type RouteMatch } from './route-match.ts';
import type { RouteSink, StepState } from './step-state.ts';
import { runSteps } from './steps.ts';
import type { Directive } from './tree.ts';

/** Writes the routes of one server. */
export class RouteWriter implements RouteSink {
  readonly server: Server;
  readonly context: NginxContext;
  /** Texts of `set` in the server. */
  assigned: ReadonlyMap<string, Template> = new Map();
  /** Paths of locations that `auth_request` asks. */
  asked: ReadonlySet<string> = new Set();
  readonly #hosts: RouteHosts;
  /** Whether requests that pass all steps get an answer. */
  readonly #hasContent: boolean;

  constructor(server: Server, hosts: RouteHosts, context: NginxContext, hasContent = true) {
    this.server = server;
    this.#hosts = hosts;
    this.context = context;
    this.#hasContent = hasContent;
  }

  /** The same writer for steps after which others follow. */
  withoutContent(): RouteWriter {
    return new RouteWriter(this.server, this.#hosts, this.context, false);
  }

  /** Adds a route for requests that match. */
  add(match: RouteMatch): ConfigBuilder {
    return addRoute(match, this.#hosts, this.context);
  }

  /** Writes the routes of a location. */
  write(location: Location, match: RouteMatch, groups: readonly string[]): void {
    if (location.isInternal) this.#writeInternal(location, match, groups);
    else this.run(location, location, match, groups);
  }

  /** Writes the routes of a server for requests without a location. */
  writeServer(match: RouteMatch): void {
    this.run(this.server, null, match, []);
  }

  /** Follows the directives of a level from its first step to its content. */
  run(level: Level, location: Location | null, match: RouteMatch, groups: readonly string[]): void {
    const state = this.stateOf(level, location, match, groups);
    this.#limitMethods(state);
    runSteps(location === null ? [] : level.instructions, state, this);
  }

  stateOf(level: Level, location: Location | null, match: RouteMatch, groups: readonly string[]): StepState {
    return { level, location, match, groups, assigned: this.assigned, rewrite: null, depth: 0 };
  }

  /** Writes what answers at the end of the steps. A rewrite has led requests to what answers, whatever follows for others. */
  finish(state: StepState): void {
    if (this.#hasContent || state.rewrite !== null) writeContent(this.add(state.match), state, this);
  }

  /** A location of a backend adds the slash that a request lacks. */
  addSlash(path: string, location: Location, match: RouteMatch): void {
    const route = this.add({ ...match, paths: [path], pattern: null, beforePatterns: false });
    const redirect = route.table('redirect');
    redirect.set('to', `${path}/?{query}`, ...match.from);
    redirect.set('status', 301, ...match.from);
    writeFeatures(route, this.stateOf(location, location, match, []), this, 'return');
  }

  /** An alias has no files for paths that only start like its own, and they belong to no other location. */
  refuseNames(location: Location, match: RouteMatch): void {
    const route = this.add({ ...match, paths: [`${textOf(location.path)}*`] });
    route.table('respond').set('status', 404, ...match.from);
    writeFeatures(route, this.stateOf(location, location, match, []), this, 'return');
  }

  /** Writes a route that refuses all requests of a match, because nobody may get in who did not before. */
  close(match: RouteMatch, from: Directive, reason: string): void {
    this.context.report.closed(from, `nobody may come in: ${reason}`);
    const route = this.add(match);
    route.remarks.push('Closed: an access rule could not be carried over. Decide, then change this route.');
    route.table('respond').set('status', 403, from);
  }

  #writeInternal(location: Location, match: RouteMatch, groups: readonly string[]): void {
    if (!this.#isOnlyAsked(location)) {
      const internal = this.add(match);
      internal.set('internal', true, ...this.context.scopeOf(location).own('internal'));
      writeContent(internal, this.stateOf(location, location, match, groups), this);
    }
    const refusal = this.add(match);
    refusal.table('respond').set('status', 404, ...match.from);
    writeFeatures(refusal, this.stateOf(location, location, match, groups), this, 'return');
  }

  /** A service for authentication whose URL has variables: `forward_auth` has them, a route for X-Accel-Redirect cannot. */
  #isOnlyAsked({ path, handler }: Location): boolean {
    return this.asked.has(path) && handler?.kind === 'backend' && handler.url.some(({ kind }) => kind !== 'text');
  }

  /** `limit_except`: other methods have routes of their own. */
  #limitMethods({ location, match, groups }: StepState): void {
    const limit = location?.limit ?? null;
    if (limit === null || location === null) return;
    const other: RouteMatch = { ...match, when: { ...match.when, '{method}': { not: [...limit.methods] } } };
    const from = [...match.from, limit.level.statement as Directive];
    runSteps(limit.level.instructions, this.stateOf(limit.level, location, { ...other, from }, groups), this);
  }
}
