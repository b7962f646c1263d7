/**
 * The hops of a request as a tree, without what differs from one request to the next: times, and the numbers of lanes and threads. Hops that
 * repeat one after the other are in one line, and so are phases.
 *
 * @param {import('../src/trace/document.ts').TraceDocument} document
 * @returns {string[]} lines
 */
export function requestTree({ spans }) {
  const lines = [];
  const add = (parent, depth) => {
    let last = '';
    for (const [index, span] of spans.entries()) {
      if (span.parent !== parent || span.kind === 'phase') continue;
      const label = labelOf(span);
      const isRepeated = label === last;
      last = label;
      if (isRepeated) {
        lines[lines.length - 1] = `${'  '.repeat(depth)}${label} (several)`;
        continue;
      }
      lines.push(`${'  '.repeat(depth)}${label}`);
      add(index, depth + 1);
    }
  };
  add(-1, 0);
  return lines;
}

const LABEL_CHARS_MAX = 60;
/** Their names have numbers. */
const NUMBERED = new Set(['lane', 'python']);

function labelOf({ kind, name, attributes }) {
  const text =
    typeof attributes.sql === 'string' ? `SELECT … FROM ${/FROM "(\w+)"/.exec(attributes.sql)?.[1] ?? '…'}` : name;
  return NUMBERED.has(kind) || text === kind ? kind : `${kind} ${text}`.slice(0, LABEL_CHARS_MAX);
}
