/** Those of the chart; the others say little in a bar. */
const SHOWN = [
  ['hello-browser', "WSGI hello, a browser's head"],
  ['django-browser', "Django hello, a browser's head"],
  ['post-10k', 'POST of 10 KB'],
  ['static-1k', 'Static file, 1 KB'],
  ['static-100k', 'Static file, 100 KB'],
  ['static-10m', 'Static file, 10 MB'],
];
const WIDTH = 760;
const BAR_LEFT = 170;
const BAR_WIDTH = 480;
const BAR_HEIGHT = 14;
const STEP = 20;
const HEAD = 52;
const GROUP_HEAD = 30;

/** Of texts and of what is ours or a peer's. */
export const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .group { font-weight: 600 }
  .note { fill: #59636e }
  .name { text-anchor: end }
  .ours { fill: #0969da }
  .peer { fill: #a9b4c0 }
  .limit { fill: none; stroke: #8c959f; stroke-dasharray: 3 2 }
  .one { stroke: #0969da; stroke-opacity: .35 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9198a1 }
    .ours { fill: #4493f8 }
    .peer { fill: #57606a }
    .one { stroke: #4493f8 }
  }`;

/**
 * Requests per second of each stack relative to ours, as bars, in one SVG that suits light and dark pages.
 *
 * @param {{ scenarios: ReturnType<typeof import('./summary.mjs').summarise>[] }} results
 */
export function chart({ scenarios }) {
  let y = HEAD;
  const groups = SHOWN.flatMap(([id, title]) => {
    const rows = usable(scenarios.find((scenario) => scenario.id === id));
    if (rows.length < 2) return [];
    const drawn = group(title, rows, y);
    y += GROUP_HEAD + rows.length * STEP + 8;
    return [drawn];
  });
  const title = 'Requests per second on one core, relative to Viaduct';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${title}">
<style>${STYLE}
</style>
${text('title', 12, 24, title)}
${text('note', 12, 42, 'Each stack with all its processes on one core, measured in turns in one run; medians. More is better.')}
${groups.join('\n')}
</svg>
`;
}

/** Ours first, then the others from fast to slow. A stack's figure relative to ours is the inverse of ours to it. */
function usable(summary) {
  const rows = summary?.rows ?? [];
  const [ours, ...others] = rows.filter((row) => row.value !== undefined && !row.stack.startsWith('viaduct/'));
  if (ours?.stack !== 'viaduct') return [];
  const bars = others
    .filter(({ ratio }) => ratio !== undefined)
    .map(({ stack, ratio }) => ({ stack, share: 1 / ratio.median }));
  return [{ stack: 'viaduct', share: 1 }, ...bars.sort((a, b) => b.share - a.share)];
}

function group(title, rows, top) {
  const scale = BAR_WIDTH / Math.max(...rows.map(({ share }) => share));
  const first = top + GROUP_HEAD;
  const bars = rows.map(({ stack, share }, index) => bar(stack, share, share * scale, first + index * STEP));
  const one = BAR_LEFT + scale;
  const line = `<line class="one" x1="${round(one)}" x2="${round(one)}" y1="${first - 3}" y2="${first + rows.length * STEP - 3}"/>`;
  return [text('group', 12, top + 20, title), ...bars, line].join('\n');
}

function bar(stack, share, width, y) {
  const kind = stack === 'viaduct' ? 'ours' : stack === 'bare loop' ? 'limit' : 'peer';
  const name = { viaduct: 'Viaduct', 'bare loop': 'no server: the limit' }[stack] ?? stack.replace(/\/(.*)/, ' ($1)');
  return [
    text('name', BAR_LEFT - 8, y + 11, name),
    `<rect class="${kind}" x="${BAR_LEFT}" y="${y}" width="${round(Math.max(1, width))}" height="${BAR_HEIGHT}" rx="2"/>`,
    text('note', round(BAR_LEFT + width + 6), y + 11, share.toFixed(2)),
  ].join('');
}

export function text(kind, x, y, content) {
  return `<text class="${kind}" x="${x}" y="${y}">${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

/** A coordinate: a tenth of a pixel is enough. */
export function round(number) {
  return Number(number.toFixed(1));
}
