const COLUMNS = ['', 'value', 'core', 'µs CPU', 'ratio', 'spread', 'CPU ratio', 'target', ''];

/** A higher load average means that other programs are at work: the average covers the time before the benchmark. */
const BUSY = 0.7;

/** A scenario's table for the terminal. */
export function textTable(summary) {
  const lines = [COLUMNS.with(1, summary.unit), ...summary.rows.map((row) => cells(row, summary))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const text = lines.map((line) => {
    const padded = line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    return `  ${padded.join('  ')}`.trimEnd();
  });
  return [`${summary.title} (${summary.id})`, ...text, ''].join('\n');
}

/** Every scenario and stack as one Markdown table. */
export function markdownTable({ scenarios }) {
  const head = ['scenario', 'stack', ...COLUMNS.slice(1, -1), 'result'];
  const rows = scenarios.flatMap((summary) =>
    summary.rows.map((row, index) => {
      const [stack, value, ...others] = cells(row, summary);
      const padded = [...others, ...Array(COLUMNS.length).fill('')].slice(0, COLUMNS.length - 2);
      return [index === 0 ? summary.title : '', stack, unusable(row) ?? `${value} ${summary.unit}`, ...padded];
    }),
  );
  return markdown(head, rows);
}

/** The comparisons that have a target. */
export function targetsTable({ scenarios }) {
  const rows = scenarios.flatMap((summary) =>
    summary.rows.filter(isAimed).map((row) => {
      const reason = unusable(row) ?? unusable(summary.rows[0]);
      const own =
        row.ratio === undefined ? `${format(row.value)} ${summary.unit}` : `${two(row.ratio.median)} × ${row.stack}`;
      const rest = row.ratio === undefined ? ['', ''] : [spread(row.ratio), row.cpuRatio && two(row.cpuRatio.median)];
      return [summary.title, reason ?? own, ...rest.map((cell) => cell ?? ''), aim(row, summary.better), verdict(row)];
    }),
  );
  return markdown(['scenario', 'Viaduct', 'spread', 'CPU ratio', 'target', 'result'], rows);
}

/**
 * A short table of chosen comparisons.
 *
 * @param {{ scenarios: ReturnType<typeof import('./summary.mjs').summarise>[] }} results
 * @param {readonly (readonly [id: string, stack: string])[]} chosen
 */
export function chosenTable({ scenarios }, chosen) {
  const rows = chosen.map(([id, stack]) => {
    const summary = scenarios.find((scenario) => scenario.id === id);
    const row = summary?.rows.find((candidate) => candidate.stack === stack);
    if (row === undefined) throw new Error(`Cannot show "${id}" beside "${stack}": there is no such row`);
    const { ratio, cpuRatio } = row;
    const measured = `${summary.unit}, ${summary.better === 'higher' ? 'more' : 'less'} is better`;
    const value = ratio === undefined ? unusable(row) : `**${two(ratio.median)}** × ${stack}`;
    return [summary.title, measured, value ?? '', ratio ? spread(ratio) : '', cpuRatio ? two(cpuRatio.median) : ''];
  });
  return markdown(['scenario', 'measured', 'Viaduct', 'spread', 'CPU ratio'], rows);
}

/** What a run was made with, in a few lines. */
export function describe({ machine, versions, options, missing }) {
  const { cpu, kernel, node, cores, load } = machine;
  const stacks = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, Linux ${kernel}. Stack on core ${cores.server}, load generator on core ${cores.load}${
      cores.shared ? ' (two threads of one physical core: rates are lower than they could be)' : ''
    }.`,
    `${options.rounds} rounds of ${options.seconds} s. Node ${node}, ${stacks.join(', ')}.`,
    ...(load > BUSY
      ? [`The machine was busy when the run started (load ${load.toFixed(1)}): do not trust these figures.`]
      : []),
    ...missing.map(([name, reason]) => `Skipped: ${name}, ${reason}.`),
  ].join('\n');
}

/** How many targets were met, and which not. */
export function verdicts({ scenarios }) {
  const aimed = scenarios.flatMap(({ id, rows }) => rows.filter(isAimed).map((row) => ({ id, ...row })));
  const reached = aimed.filter((row) => row.reached === true);
  const others = aimed.filter((row) => row.reached !== true);
  return [`${reached.length} of ${aimed.length} targets reached`, ...others.map((row) => `  ${shortfall(row)}`)].join(
    '\n',
  );
}

function shortfall({ id, stack, reached, ratio, cpuRatio, target, value, limit }) {
  if (reached === undefined) return `not measured ${id} beside ${stack}`;
  if (limit !== undefined) return `missed ${id}: ${format(value)}, target ${format(limit)}`;
  const cpu = cpuRatio === undefined ? '' : ` (CPU ${two(cpuRatio.median)})`;
  return `missed ${id}: ${two(ratio.median)} × ${stack}${cpu}, target ${rounded(target)}`;
}

function isAimed({ target, limit }) {
  return target !== undefined || limit !== undefined;
}

/** A table in Markdown. Columns of figures are on the right, those of these names on the left. */
export function markdown(head, rows, left = ['scenario', 'stack', 'measured', 'result']) {
  const lines = [head, head.map((name) => (left.includes(name) ? '---' : '---:')), ...rows];
  return `${lines.map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}\n`;
}

function cells(row, summary) {
  const reason = unusable(row);
  if (reason !== undefined) return [row.stack, reason];
  const ratio = row.ratio === undefined ? ['', '', ''] : [`${two(row.ratio.median)} ×`, spread(row.ratio), ''];
  if (row.cpuRatio !== undefined) ratio[2] = `${two(row.cpuRatio.median)} ×`;
  const value = `${format(row.value)}${details(row)}`;
  return [row.stack, value, share(row), format(row.cpuMicros), ...ratio, aim(row, summary.better), verdict(row)];
}

/** Why a row has no figures. */
export function unusable({ skipped, failure, samples }) {
  if (skipped !== undefined) return `skipped: ${skipped}`;
  if (failure !== undefined) return `invalid: ${failure.split('\n')[0]}`;
  return samples.length === 0 ? 'invalid: not measured' : undefined;
}

function details({ detail }) {
  return detail === undefined
    ? ''
    : ` (${Object.entries(detail)
        .map(([name, value]) => `${name} ${format(value)}`)
        .join(', ')})`;
}

function share({ coreShare }) {
  return coreShare === undefined ? '' : `${Math.round(coreShare * 100)} %`;
}

function aim({ target, limit }, better) {
  if (limit !== undefined) return `${better === 'higher' ? '≥' : '<'} ${format(limit)}`;
  return target === undefined ? '' : `${better === 'higher' ? '≥' : '≤'} ${rounded(target)} ×`;
}

function verdict({ reached }) {
  return reached === undefined ? '' : reached ? 'reached' : 'missed';
}

/** The smallest and the largest ratio, and what encloses the median. */
export function spread({ min, max, low, high }) {
  const whole = `${two(min)}–${two(max)}`;
  return low === undefined ? whole : `${whole} (${two(low)}–${two(high)})`;
}

export function two(number) {
  return number.toFixed(2);
}

/** Three digits are as many as a benchmark knows. */
export function format(number) {
  if (number === undefined) return '';
  return number >= 1000 ? Number(number.toPrecision(3)).toLocaleString('en') : String(Number(number.toPrecision(3)));
}

/** A target may be a quotient, such as that of a time which may grow by a share. */
function rounded(target) {
  return Number(target.toFixed(2));
}
