import { format, markdown, spread, two, unusable } from '../report.mjs';
import { judge } from './summary.mjs';

/** A curve's table for the terminal. */
export function textCurve(curve) {
  const lines = tableOf(curve);
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) => `  ${line.map((cell, column) => cell.padStart(widths[column])).join('  ')}`);
  return [`${curve.title} (${curve.id})`, ...text, `  ${verdictOf(curve)}`, ''].join('\n');
}

/** The exponents of all curves as one Markdown table. */
export function exponentsTable({ curves }) {
  const rows = curves.map((curve) => {
    const { fits, limit } = judge(curve);
    const [ours, peer] = curve.stacks.map((stack) => fits.get(stack));
    const { points } = curve;
    return [
      curve.title,
      `${number(points[0].n)}–${number(points.at(-1).n)} ${curve.axis}`,
      tailOf(ours),
      `${tailOf(peer)} ${curve.stacks[1]}`,
      `≤ ${limit}`,
      resultOf(curve),
    ];
  });
  return markdown(['curve', 'from–to', 'Viaduct', 'peer', 'limit', 'result'], rows, ['curve', 'result']);
}

/** Every point of every curve, a Markdown table for each. */
export function curvesMarkdown({ curves }) {
  return curves
    .map((curve) => {
      const [head, ...rows] = tableOf(curve);
      return `## ${curve.title}\n\n${markdown(head, rows)}\n${verdictOf(curve)}\n`;
    })
    .join('\n');
}

/** How many curves grow faster than the work, and which. */
export function faults({ curves }) {
  const found = curves.filter((curve) => judge(curve).isFault);
  const lines = found.map((curve) => `  fault ${curve.id}: ${verdictOf(curve)}`);
  return [`${found.length} of ${curves.length} curves grow faster than the work`, ...lines].join('\n');
}

function tableOf({ axis, stacks, points }) {
  const [ours, peer] = stacks;
  const rows = points.map(({ n, rows }) => {
    const [first, second] = stacks.map((stack) => rows.find((row) => row.stack === stack));
    const ratio = second?.cpuRatio;
    return [number(n), cost(first), cost(second), ratio ? two(ratio.median) : '', ratio ? spread(ratio) : ''];
  });
  return [[axis, `${ours}, µs CPU`, `${peer}, µs CPU`, 'CPU ratio', 'spread'], ...rows];
}

function cost(row) {
  return row === undefined ? '' : (unusable(row) ?? format(row.cpuMicros));
}

/** A sentence for people: the exponents and what follows from them. */
function verdictOf(curve) {
  const { fits, limit } = judge(curve);
  const each = curve.stacks.map((stack) => {
    const found = fits.get(stack);
    if (found === null) return `${stack} unknown`;
    return `${stack} ${two(found.whole)}, of the upper half ${tailOf(found)}`;
  });
  return `Exponents: ${each.join('; ')}. Limit ${limit}: ${resultOf(curve)}.`;
}

function resultOf(curve) {
  const { fits, isFault } = judge(curve);
  if (fits.get(curve.stacks[0]) === null) return 'not measured';
  return isFault ? '**fault**' : 'no fault';
}

function tailOf(found) {
  return found === null ? 'unknown' : `${two(found.tail)} (${two(found.low)} to ${two(found.high)})`;
}

function number(count) {
  return count.toLocaleString('en');
}
