import { round, STYLE, text } from '../chart.mjs';
import { two } from '../report.mjs';
import { costsOf, judge } from './summary.mjs';

const PANEL = { width: 370, height: 250, left: 52, right: 16, top: 62, bottom: 42 };
const HEAD = 48;
const COLUMNS = 2;

const LINES = `${STYLE}
  .grid { stroke: #8c959f; stroke-opacity: .25 }
  .tick { font-size: 11px }
  .middle { text-anchor: middle }
  .curve { fill: none; stroke-width: 2 }
  .curve.ours { fill: none; stroke: #0969da }
  .curve.peer { fill: none; stroke: #8c959f }
  .fault { fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    .curve.ours { stroke: #4493f8 }
    .curve.peer { stroke: #8b949e }
    .fault { fill: #ff7b72 }
  }`;

/**
 * The curves as small multiples on logarithmic axes, in one SVG that suits light and dark pages: processor time of a request over what grows.
 *
 * @param {readonly import('./summary.mjs').Measured[]} curves
 */
export function growthChart(curves) {
  const width = COLUMNS * PANEL.width;
  const height = HEAD + Math.ceil(curves.length / COLUMNS) * PANEL.height;
  const title = 'Processor time of a request while something grows';
  const panels = curves.map((curve, index) => {
    const x = (index % COLUMNS) * PANEL.width;
    const y = HEAD + Math.floor(index / COLUMNS) * PANEL.height;
    return `<g transform="translate(${x} ${y})">\n${panel(curve)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
<style>${LINES}
</style>
${text('title', 12, 24, title)}
${text('note', 12, 42, 'Each stack with all its processes on one core; medians. Both axes are logarithmic. Less is better.')}
${panels.join('\n')}
</svg>
`;
}

function panel(curve) {
  const lines = curve.stacks.map((stack) => costsOf(curve, stack));
  const { fits, isFault } = judge(curve);
  const legend = curve.stacks.map((stack, index) => {
    const found = fits.get(stack);
    const exponent = found === null ? '' : ` n^${two(found.tail)}`;
    const x = 12 + index * 170;
    const kind = index === 0 ? 'ours' : 'peer';
    const fault = index === 0 && isFault ? ' fault' : '';
    const name = `${index === 0 ? 'Viaduct' : stack}${exponent}`;
    return `<rect class="${kind}" x="${x}" y="37" width="14" height="4"/>${text(`note${fault}`, x + 20, 43, name)}`;
  });
  const drawn = [text('group', 12, 22, curve.title), ...legend];
  if (lines.some((line) => line.length > 0)) drawn.push(...plot(curve, lines));
  return drawn.join('\n');
}

function plot({ axis, points }, lines) {
  const costs = lines.flat().map(({ cost }) => Math.log10(cost));
  const [bottom, top] = [Math.floor(Math.min(...costs)), Math.ceil(Math.max(...costs) + 1e-9)];
  const [first, last] = [points[0].n, points.at(-1).n].map(Math.log10);
  const plotWidth = PANEL.width - PANEL.left - PANEL.right;
  const plotHeight = PANEL.height - PANEL.top - PANEL.bottom;
  const x = (n) => round(PANEL.left + ((Math.log10(n) - first) / (last - first || 1)) * plotWidth);
  const y = (log) => round(PANEL.top + ((top - log) / (top - bottom)) * plotHeight);
  const decades = Array.from({ length: top - bottom + 1 }, (_, index) => bottom + index);
  return [
    ...decades.map((log) => {
      const line = `<line class="grid" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y(log)}" y2="${y(log)}"/>`;
      return `${line}${text('note tick name', PANEL.left - 6, y(log) + 4, duration(log))}`;
    }),
    ...points.map(({ n }) =>
      text('note tick middle', x(n), PANEL.height - PANEL.bottom + 16, n >= 1000 ? `${Math.round(n / 1000)}k` : `${n}`),
    ),
    text('note tick middle', PANEL.left + plotWidth / 2, PANEL.height - PANEL.bottom + 31, axis),
    ...lines.toReversed().map((line, index) => {
      const kind = index === lines.length - 1 ? 'ours' : 'peer';
      const path = line.map(({ n, cost }) => `${x(n)},${y(Math.log10(cost))}`).join(' ');
      const dots = line.map(
        ({ n, cost }) => `<circle class="${kind}" cx="${x(n)}" cy="${y(Math.log10(cost))}" r="3"/>`,
      );
      return `<polyline class="curve ${kind}" points="${path}"/>${dots.join('')}`;
    }),
  ];
}

/** 10^log microseconds. */
function duration(log) {
  const unit = log >= 6 ? 's' : log >= 3 ? 'ms' : 'µs';
  return `${10 ** (log - (log >= 6 ? 6 : log >= 3 ? 3 : 0))} ${unit}`;
}
