import type { ConfigBuilder } from '../config-builder.ts';
import type { HostGroups, NginxContext } from './context.ts';
import { textOf } from './model/bytes.ts';
import type { Instruction, Level, Location, Server } from './model/model.ts';
import type { Template } from './model/template.ts';
import type { Values } from './placeholders.ts';
import type { RouteMatch } from './route-match.ts';
import type { Directive } from './tree.ts';

/** What is known of requests at a step of nginx's rewrite phase. */
export interface StepState {
  readonly level: Level;
  readonly location: Location | null;
  readonly match: RouteMatch;
  /** Names of the groups of the location's pattern. */
  readonly groups: readonly string[];
  /** Texts of `set`. */
  readonly assigned: ReadonlyMap<string, Template>;
  /** A rewrite whose path the content sees. */
  readonly rewrite: StepRewrite | null;
  readonly depth: number;
}

export interface StepRewrite {
  readonly pattern: string;
  readonly to: string;
  readonly from: Directive;
  /** Whether the location is still the one of the path before. */
  readonly staysHere: boolean;
}

/** What a rewrite leads to, without the start that `alias` or a path in `proxy_pass` replaces by another one; null if it does not start so. */
export function restOfTarget({ rewrite }: StepState, start: string): string | null {
  const leads = rewrite !== null && !rewrite.staysHere && rewrite.to.startsWith(start);
  return leads ? rewrite.to.slice(start.length) : null;
}

/** Takes the routes of one server. */
export interface RouteSink {
  readonly server: Server;
  readonly context: NginxContext;
  /** Adds a route for requests that match. */
  add(match: RouteMatch): ConfigBuilder;
  /** Writes a route that refuses all requests of a match, because nobody may get in who did not before. */
  close(match: RouteMatch, from: Directive, reason: string): void;
  /** Writes what answers at the end of the steps. */
  finish(state: StepState): void;
}

/** What variables stand for at a step, without groups of patterns. */
export function valuesAt(state: StepState, { server, context }: Pick<RouteSink, 'server' | 'context'>): Values {
  const { assigned } = state;
  const serverName = server.name === '' ? undefined : textOf(server.name);
  return { serverName, assigned, maps: context.maps, hostGroups: hostGroupsAt(state, server, context) };
}

/** The groups of the server's name. A pattern that was tried after it gives the numbers another meaning. */
function hostGroupsAt({ match, level }: StepState, server: Server, { hostGroups }: NginxContext): HostGroups {
  const groups = hostGroups.get(server) ?? new Map<string, string>();
  const isLast = match.pattern === null && ![...server.instructions, ...level.instructions].some(triesPattern);
  return isLast ? groups : new Map([...groups].filter(([name]) => !/^\d$/.test(name)));
}

function triesPattern(instruction: Instruction): boolean {
  if (instruction.kind === 'rewrite') return true;
  if (instruction.kind !== 'if') return false;
  return instruction.condition.kind === 'match' || instruction.then.some(triesPattern);
}

/** The same for a text beside the pattern of the location. */
export function valuesWithGroups(state: StepState, writer: Pick<RouteSink, 'server' | 'context'>): Values {
  return { ...valuesAt(state, writer), groups: state.groups };
}
