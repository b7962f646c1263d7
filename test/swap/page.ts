import { BACKENDS, type Cell, cellsOf, FRAMEWORKS, FRONT_PROTOCOLS, FRONTS, type FrontName, runs } from './cells.ts';
import { type Deviation, expected, listOf } from './deviations.ts';
import { SUITE } from './suite.ts';

/** The generated part of docs/swap.md, from the cases and what is expected of them. */
export function renderMatrix(versions: readonly string[]): string {
  const notes: Deviation[] = [];
  const tables = FRONTS.map((front) => `### ${front} in front\n\n${table(front, notes)}`);
  const cells = FRONTS.flatMap((front) => cellsOf(front));
  return [
    `${cells.length} combinations, ${SUITE.length} cases each, with ${versions.join(', ')}.`,
    ...tables,
    '### Notes',
    notes.map((note, at) => `${at + 1}. ${noteOf(note)}`).join('\n'),
    '## The cases',
    ['| case | what is tried |', '|---|---|', ...SUITE.map(({ name, tells }) => `| ${name} | ${tells} |`)].join('\n'),
  ].join('\n\n');
}

function table(front: FrontName, notes: Deviation[]): string {
  const head = ['application server', 'protocol', ...FRAMEWORKS];
  const rows = BACKENDS.flatMap((backend) =>
    FRONT_PROTOCOLS[front]
      .filter((protocol) => cellsOf(front).some((cell) => cell.backend === backend && cell.protocol === protocol))
      .map((protocol) => {
        const results = FRAMEWORKS.map((framework) =>
          runs(backend, framework) ? resultOf({ front, backend, protocol, framework }, notes) : '',
        );
        return `| ${[backend, protocol, ...results].join(' | ')} |`;
      }),
  );
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

/** How many cases are as they should be, and the notes for the others. */
function resultOf(cell: Cell, notes: Deviation[]): string {
  const found = SUITE.map(({ name }) => expected(cell, name)).filter((deviation) => deviation !== null);
  if (found.length === 0) return 'all';
  for (const deviation of found) if (!notes.some((note) => noteOf(note) === noteOf(deviation))) notes.push(deviation);
  const numbers = new Set(found.map((deviation) => notes.findIndex((note) => noteOf(note) === noteOf(deviation)) + 1));
  const marks = [...numbers].sort((one, other) => one - other).join(' ');
  return `${SUITE.length - found.length} <sup>${marks}</sup>`;
}

function noteOf({ case: cases, says, sometimes, because }: Deviation): string {
  const seen = listOf(says).join(' or ');
  const often = sometimes === true ? ', sometimes' : '';
  return `**${listOf(cases).join('; ')}**: ${seen}${often}: ${because}.`;
}
