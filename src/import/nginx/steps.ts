import type { ConfigBuilder } from '../config-builder.ts';
import { conditionOf } from './conditions.ts';
import { expressionOf } from './expression.ts';
import { writeFeatures } from './features.ts';
import { textOf } from './model/bytes.ts';
import type { Instruction, Location } from './model/model.ts';
import type { Template } from './model/template.ts';
import { fill } from './placeholders.ts';
import { leadsSomewhere } from './redirect-target.ts';
import { writeReturn } from './returns.ts';
import { pathOf, rewriteTarget } from './rewrite-target.ts';
import { withConditions } from './route-match.ts';
import { type RouteSink, type StepState, valuesAt } from './step-state.ts';
import type { Directive } from './tree.ts';

/** Rewrites within rewrites, and branches of branches, before a configuration is too complicated. */
const DEPTH_MAX = 6;

type Rewrite = Extract<Instruction, { readonly kind: 'rewrite' }>;
type If = Extract<Instruction, { readonly kind: 'if' }>;

/**
 * Writes the routes for the directives of nginx's rewrite phase, and for the content after them. A condition becomes a route with the same
 * path and one condition more, which wins over the route without it.
 *
 * @returns whether a step ended all requests, so that none came to the content after them
 */
export function runSteps(instructions: readonly Instruction[], start: StepState, writer: RouteSink): boolean {
  let state = start;
  for (const [index, instruction] of instructions.entries()) {
    const rest = instructions.slice(index + 1);
    writer.context.report.took(instruction.statement);
    switch (instruction.kind) {
      case 'break':
        writer.finish(state);
        return false;
      case 'set':
        state = {
          ...state,
          assigned: new Map(state.assigned).set(instruction.name, withAssigned(instruction.value, state)),
        };
        break;
      case 'return':
        writeReturn(writer.add(state.match), instruction, state, writer);
        return true;
      case 'rewrite': {
        const next = rewriteStep(instruction, rest, state, writer);
        if (next === null) return true;
        state = next;
        break;
      }
      case 'if':
        if (ifStep(instruction, rest, state, writer)) return true;
        if (replacesGroups(instruction, false)) state = { ...state, groups: [] };
    }
  }
  writer.finish(state);
  return false;
}

/** A text of `set` with what was assigned before it. */
export function withAssigned(value: Template, { assigned }: StepState): Template {
  return value.flatMap((part): Template => (part.kind === 'variable' ? (assigned.get(part.name) ?? [part]) : [part]));
}

/** Returns whether the steps end here for all requests. */
function ifStep(instruction: If, rest: readonly Instruction[], state: StepState, writer: RouteSink): boolean {
  const { condition, then, level } = instruction;
  const statement = instruction.statement as Directive;
  const when = conditionOf(condition, valuesAt(state, writer));
  const match = when === null || typeof when === 'string' ? null : withConditions(state.match, when, statement);
  if (when === 'never') return false;
  if ((when !== 'always' && match === null) || state.depth >= DEPTH_MAX) {
    if (!refuses(then) || condition.kind === 'path') {
      writer.context.report.lost(statement, 'this condition has no counterpart');
      return false;
    }
    writer.close(state.match, statement, 'this condition has no counterpart');
    return true;
  }
  const groups = replacesGroups(instruction, true) ? [] : state.groups;
  const inner = { ...state, level: level ?? state.level, match: match ?? state.match, groups, depth: state.depth + 1 };
  runSteps([...then, ...rest], inner, writer);
  return when === 'always';
}

/** Whether the groups of a condition take the place of those of the location, for requests in the branch or (`within` is false) for all others. */
function replacesGroups({ condition }: If, within: boolean): boolean {
  if (condition.kind !== 'match' || condition.negated === within) return false;
  const expression = expressionOf(textOf(condition.pattern.source), false);
  return 'groups' in expression && expression.groups.length > 0;
}

/** Whether a branch keeps requests out. */
export function refuses(instructions: readonly Instruction[]): boolean {
  return instructions.some(
    (one) => (one.kind === 'return' && one.status >= 400) || (one.kind === 'if' && refuses(one.then)),
  );
}

/** Whether a step may answer. */
function answers(instruction: Instruction): boolean {
  return instruction.kind === 'return' || (instruction.kind === 'if' && instruction.then.some(answers));
}

/** Returns the state after a rewrite; null if it ends the steps for all requests. */
function rewriteStep(
  instruction: Rewrite,
  rest: readonly Instruction[],
  state: StepState,
  writer: RouteSink,
): StepState | null {
  const statement = instruction.statement as Directive;
  const expression = expressionOf(textOf(instruction.pattern.source), false);
  const lost = (reason: string): StepState => {
    writer.context.report.lost(statement, reason);
    return state;
  };
  if ('wrong' in expression) return lost(expression.wrong);
  const values = { ...valuesAt(state, writer), groups: expression.groups };
  const filled = fill(instruction.replacement, values);
  if ('unknown' in filled) return lost(`${filled.unknown} has no counterpart`);
  const to = targetOf(filled.text, instruction);
  if (!leadsSomewhere(to, writer.context.builder)) return lost('it does not lead to a path or URL');
  const always = matchesAll(instruction.pattern.regex, state.location);
  const pattern = expression.source;
  const match = always
    ? state.match
    : withConditions(state.match, { '{path.decoded}': { pattern: [pattern] } }, statement);
  if (match === null) return lost('its pattern cannot be combined with another condition for the path');
  if (instruction.redirect !== null) {
    const route = writer.add(match);
    const redirect = route.table('redirect');
    redirect.set('to', to, statement);
    redirect.set('status', instruction.redirect, statement);
    if (/\{\d\}/.test(to)) {
      redirect.set('pattern', pattern, statement);
      redirect.set('decoded', true, statement);
    }
    writeFeatures(route, state, writer, 'return');
    return always ? null : state;
  }
  if (!instruction.ends && rest.find(({ kind }) => kind !== 'set')?.kind === 'return') return state;
  if (!instruction.ends && rest.some(answers)) return lost('what answers after it depends on the new path');
  if (state.rewrite !== null) return lost('a route can have one rewrite');
  if (pathOf(instruction.replacement).some((part) => part.kind === 'variable' && part.name === 'request_uri'))
    writer.context.report.differs(statement, 'nginx encodes the percent signs of $request_uri once more in a path');
  const rewrite = { pattern, to, from: statement, staysHere: instruction.staysHere };
  if (instruction.staysHere) {
    // without further steps, a path that does not match has the same content
    const isLast = always || rest.every(({ kind }) => kind === 'break');
    writer.finish({ ...state, rewrite, match: isLast ? state.match : match });
    return isLast ? null : state;
  }
  const target = rewriteTarget(instruction, state.location, writer.server);
  if (target === 'endless') {
    writeEndless(writer.add(match), state, writer, statement);
    return always ? null : state;
  }
  if (target === null || state.depth >= DEPTH_MAX) return lost('its target has no location that is known beforehand');
  const inside: StepState = {
    ...state,
    level: target.level,
    location: target.location,
    match: { ...match, from: [...match.from, statement] },
    groups: [],
    rewrite,
    depth: state.depth + 1,
  };
  runSteps(target.location?.instructions ?? [], inside, writer);
  return always ? null : state;
}

/** nginx gives up a request whose path leads to the same rewrite again and again. */
function writeEndless(route: ConfigBuilder, state: StepState, writer: RouteSink, from: Directive): void {
  route.table('respond').set('status', 500, from);
  writeFeatures(route, state, writer, 'return');
}

/** The query of the request follows, unless the replacement ends with a question mark. */
function targetOf(text: string, { redirect, keepsArguments }: Rewrite): string {
  if (text.includes('{uri}')) return text;
  if (!keepsArguments) return redirect === null && !text.includes('?') ? `${text}?` : text;
  if (redirect === null && !text.includes('?')) return text;
  return `${text}${text.includes('?') ? '&' : '?'}{query}`;
}

/** Whether a pattern matches all paths of a location, judged by paths of many forms. */
function matchesAll(regex: RegExp | null, location: Location | null): boolean {
  if (regex === null) return false;
  if (location?.kind === 'exact') return regex.test(location.path);
  const isPattern = location?.kind === 'pattern' || location?.kind === 'named';
  const start = isPattern ? '' : (location?.path ?? '/');
  const ends = ['', 'x', 'x/y', 'x/y/', '.html', '%', '\u00ff', 'a b/c.d', '1.php'];
  return ends.every((end) => regex.test(start + end));
}
