import { escapeControls } from '../../log/escape.ts';
import type { Span, TraceDocument } from '../../trace/document.ts';
import { sqlTitle } from '../../trace/sql-line.ts';
import type { Palette } from '../output.ts';
import type { Row } from '../table.ts';
import { timeText } from './time-text.ts';

/** A part of the request, or several parts without parts of their own, one after the other, that look the same. */
interface Node {
  readonly span: Span;
  readonly count: number;
  /** Null if an end is not known. */
  readonly us: number | null;
  readonly children: readonly Node[];
}

/** No chain of middleware is deeper, so only a broken trace is cut. */
const DEPTH_MAX = 100;
const LABEL_CHARS_MAX = 200;
/** A part that takes this share of the request is marked. */
const LONG_SHARE = 0.25;
/** The phases of a middleware that take less are left out: they are most of the lines, and never the reason. */
const PHASE_SHARE_MIN = 0.01;

/** The parts of a request as rows: start, duration, and the name at its place in the tree. */
export function spanRows({ spans, durationUs }: TraceDocument, colours: Palette): Row[] {
  const children = new Map<number, number[]>();
  for (const [index, { parent }] of spans.entries()) {
    const list = children.get(parent) ?? [];
    list.push(index);
    children.set(parent, list);
  }
  const nodesOf = (parent: number, depth: number): Node[] => {
    if (depth > DEPTH_MAX) return [];
    const nodes: Node[] = [];
    for (const index of children.get(parent) ?? []) {
      const span = spans[index] as Span;
      const us = span.endUs === null ? null : span.endUs - span.startUs;
      if (isShortPhase(span, us, durationUs) && !children.has(index)) continue;
      const own = index > parent ? nodesOf(index, depth + 1) : []; // a parent starts before its parts
      const last = nodes.at(-1);
      if (last !== undefined && own.length === 0 && last.children.length === 0 && labelOf(last.span) === labelOf(span))
        nodes[nodes.length - 1] = {
          ...last,
          count: last.count + 1,
          us: us === null || last.us === null ? null : last.us + us,
        };
      else nodes.push({ span, count: 1, us, children: own });
    }
    return nodes;
  };
  const rows: Row[] = [];
  const add = (nodes: readonly Node[], indent: string): void => {
    for (const [index, { span, count, us, children: parts }] of nodes.entries()) {
      const isLast = index === nodes.length - 1;
      const label = escapeControls(labelOf(span)).slice(0, LABEL_CHARS_MAX);
      const isLong = us !== null && durationUs !== null && us >= durationUs * LONG_SHARE && parts.length === 0;
      const failed = span.attributes.error !== undefined && span.attributes.error !== false;
      const text = failed ? colours.red(label) : isLong ? colours.yellow(label) : label;
      const times = count === 1 ? '' : colours.yellow(`${count}× `);
      rows.push([
        colours.dim(timeText(span.startUs).padStart(9)),
        (us === null ? '?' : timeText(us)).padStart(9),
        `${colours.dim(`${indent}${isLast ? '└ ' : '├ '}`)}${times}${text}`,
      ]);
      add(parts, `${indent}${isLast ? '  ' : '│ '}`);
    }
  };
  add(nodesOf(-1, 0), '');
  return rows;
}

function isShortPhase({ kind, attributes }: Span, us: number | null, durationUs: number | null): boolean {
  if (kind !== 'phase' || us === null || durationUs === null || attributes.error !== undefined) return false;
  return us < durationUs * PHASE_SHARE_MIN;
}

/** Kind and name, and of a query its verb and table. A name with the kind as a word, such as `head of the request`, is enough. */
function labelOf({ kind, name, attributes }: Span): string {
  const text = typeof attributes.sql === 'string' ? sqlTitle(attributes.sql) : name;
  const label = text === '' ? kind : text.split(' ').includes(kind) ? text : `${kind} ${text}`;
  const status = attributes.status === undefined || attributes.status === '' ? '' : ` (${attributes.status})`;
  return `${label.replaceAll(/\s+/g, ' ').trim()}${status}`;
}
