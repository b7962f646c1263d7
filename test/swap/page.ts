import {
  BACKENDS,
  type Cell,
  cellsOf,
  FRAMEWORKS,
  FRONT_END_PROTOCOLS,
  FRONT_ENDS,
  type FrontEndName,
  runs,
} from './cells.ts';
import type { Deviation } from './deviation.ts';
import { expected, listOf } from './deviations.ts';
import { SUITE } from './suite.ts';

/** The generated part of docs/swap.md: the cases and their expected outcomes. */
export function renderMatrix(versions: readonly string[]): string {
  const notes: Deviation[] = [];
  const tables = FRONT_ENDS.map((frontEnd) => `### ${frontEnd} in front\n\n${table(frontEnd, notes)}`);
  const cells = FRONT_ENDS.flatMap((frontEnd) => cellsOf(frontEnd));
  return [
    `${cells.length} combinations, ${SUITE.length} cases each, with ${versions.join(', ')}.`,
    ...tables,
    '### Notes',
    notes.map((note, at) => `${at + 1}. ${noteOf(note)}`).join('\n'),
    '## The cases',
    [
      '| case | what it checks |',
      '|---|---|',
      ...SUITE.map(({ name, description }) => `| ${name} | ${description} |`),
    ].join('\n'),
  ].join('\n\n');
}

function table(frontEnd: FrontEndName, notes: Deviation[]): string {
  const head = ['application server', 'protocol', ...FRAMEWORKS];
  const rows = BACKENDS.flatMap((backend) =>
    FRONT_END_PROTOCOLS[frontEnd]
      .filter((protocol) => cellsOf(frontEnd).some((cell) => cell.backend === backend && cell.protocol === protocol))
      .map((protocol) => {
        const results = FRAMEWORKS.map((framework) =>
          runs(backend, framework) ? resultOf({ frontEnd, backend, protocol, framework }, notes) : '',
        );
        return `| ${[backend, protocol, ...results].join(' | ')} |`;
      }),
  );
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

/** The number of correct cases, and the notes about the others. */
function resultOf(cell: Cell, notes: Deviation[]): string {
  const deviations = SUITE.map(({ name }) => expected(cell, name)).filter((deviation) => deviation !== null);
  if (deviations.length === 0) return 'all';
  for (const deviation of deviations)
    if (!notes.some((note) => noteOf(note) === noteOf(deviation))) notes.push(deviation);
  const numbers = new Set(
    deviations.map((deviation) => notes.findIndex((note) => noteOf(note) === noteOf(deviation)) + 1),
  );
  const marks = [...numbers].sort((a, b) => a - b).join(' ');
  return `${SUITE.length - deviations.length} <sup>${marks}</sup>`;
}

function noteOf({ case: cases, outcome, sometimes, reason }: Deviation): string {
  const outcomes = listOf(outcome).join(' or ');
  const often = sometimes === true ? 'sometimes ' : '';
  return `**${listOf(cases).join('; ')}**: ${often}${outcomes}. Reason: ${reason}.`;
}
