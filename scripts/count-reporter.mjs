import { inspect } from 'node:util';
import { HUNG } from './watchdog.mjs';

/** The end of a run has so much of each error, because CI may keep only the end of the output. */
const ERROR_CHARACTERS_MAX = 1500;

/**
 * The outcome of a test run. It counts tests, not suites.
 *
 * @typedef {{ passed: number, failed: number, skipped: number, failures: string[], skips: string[], seconds?: Record<string, number> }} Counts
 * `seconds` is how long each file took.
 */

/** Reporter for `node --test`: writes one line of JSON, a `Counts`, when all tests have ended. */
// biome-ignore lint/style/noDefaultExport: node takes a reporter from the default export
export default async function* countReporter(source) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [], seconds: {} };
  for await (const { type, data } of source) {
    if (type === 'test:stderr' && data.message.startsWith(HUNG)) counts.failures.push(data.message.trimEnd());
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.nesting === 0 && data.file !== undefined)
      counts.seconds[data.file] = (counts.seconds[data.file] ?? 0) + (data.details?.duration_ms ?? 0) / 1000;
    const isSkip = data.skip !== undefined && data.skip !== false;
    if (type === 'test:fail' && data.todo === undefined) {
      // A suite fails when its tests fail, and those are counted. Without a failed test, one of its hooks failed.
      if (data.details?.type === 'suite' && data.details.error?.failureType === 'subtestsFailed') continue;
      counts.failed++;
      counts.failures.push(`${data.name} (${data.file ?? ''})\n${errorOf(data)}`);
    } else if (isSkip || data.todo !== undefined) {
      counts.skipped++;
      counts.skips.push(`${data.name}: ${typeof data.skip === 'string' ? data.skip : 'no reason given'}`);
    } else if (data.details?.type !== 'suite') counts.passed++;
  }
  yield `${JSON.stringify(counts)}\n`;
}

/** What went wrong, indented. */
function errorOf({ details }) {
  const error = details?.error?.cause ?? details?.error;
  const text = inspect(error, { colors: false }).slice(0, ERROR_CHARACTERS_MAX);
  return `    ${text.replaceAll('\n', '\n    ')}`;
}
