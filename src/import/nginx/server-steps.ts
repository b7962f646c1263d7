import type { LocationMatch } from './location-matches.ts';
import { bytesOf } from './model/bytes.ts';
import type { Instruction, Server } from './model/model.ts';
import type { RouteMatch } from './route-match.ts';
import type { RouteWriter } from './route-writer.ts';
import { refuses, runSteps, withAssigned } from './steps.ts';
import type { Directive } from './tree.ts';

/**
 * Writes the routes for the rewrite directives of a server, which nginx follows before it chooses a location. They are patterns, which win over
 * prefixes. Exact paths, and prefixes that come before patterns, get routes of their own for them.
 *
 * @returns whether the server answers all requests, so that no location has any
 */
export function writeServerSteps(
  server: Server,
  matches: readonly LocationMatch[],
  whole: RouteMatch,
  writer: RouteWriter,
): boolean {
  const before = matches.flatMap(({ match }) => (isFirst(match) ? [match] : []));
  const instructions = server.instructions.map(leadingOn);
  for (const [index, instruction] of instructions.entries()) {
    if (instruction.kind === 'break') return false;
    if (instruction.kind === 'set') {
      const state = writer.stateOf(server, null, whole, []);
      writer.assigned = new Map(writer.assigned).set(instruction.name, withAssigned(instruction.value, state));
      writer.context.report.took(instruction.statement);
      continue;
    }
    if (instruction.kind === 'return') {
      runSteps([instruction], writer.stateOf(server, null, whole, []), writer);
      return true;
    }
    if (instruction.kind === 'if' && !ends(instruction.then)) {
      writer.context.report.lost(instruction.statement, 'this condition has no counterpart');
      if (refuses(instruction.then)) {
        writer.close(whole, instruction.statement as Directive, 'this condition has no counterpart');
        return true;
      }
      continue;
    }
    if (instruction.kind === 'rewrite' && !instruction.ends && index < instructions.length - 1) {
      writer.context.report.lost(instruction.statement, 'the directives after it would have to see the new path');
      continue;
    }
    const isAll = matches.length === 0;
    const first: RouteMatch = isAll ? whole : { ...whole, pattern: '^/' };
    const steps = writer.withoutContent();
    steps.assigned = writer.assigned;
    const met = before.filter((match) => mayMeet(instruction, match));
    // then no condition of a location can win over it
    if (runSteps([instruction], steps.stateOf(server, null, first, []), steps)) return true;
    for (const match of met) runSteps([instruction], steps.stateOf(server, null, match, []), steps);
  }
  return false;
}

/** Whether a route wins over routes with patterns. */
function isFirst({ paths, beforePatterns }: RouteMatch): boolean {
  return beforePatterns || paths.some((path) => !path.endsWith('*'));
}

/** Whether a request of a route may meet a rewrite. Only exact paths are known. */
function mayMeet(instruction: Instruction, { paths }: RouteMatch): boolean {
  if (instruction.kind !== 'rewrite') return true;
  const { regex } = instruction.pattern;
  return regex === null || paths.length === 0 || paths.some((path) => path.endsWith('*') || regex.test(bytesOf(path)));
}

/** Before a location is chosen, `break` ends the steps as `last` does: the location is chosen by the new path. */
function leadingOn(instruction: Instruction): Instruction {
  // biome-ignore lint/suspicious/noThenProperty: the word of the language; nothing awaits an instruction
  if (instruction.kind === 'if') return { ...instruction, then: instruction.then.map(leadingOn) };
  return instruction.kind === 'rewrite' ? { ...instruction, staysHere: false } : instruction;
}

/** Whether each request that gets into a branch is answered there. */
function ends(instructions: readonly Instruction[]): boolean {
  return instructions.some((one) => one.kind === 'return' || (one.kind === 'rewrite' && one.ends && !one.staysHere));
}
