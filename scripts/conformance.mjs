/**
 * `npm run conformance`: tests of Django, Flask, Werkzeug and WebTest with this server beneath them. Prints a table and puts it into
 * `docs/conformance.md`. With `--record` the number of tests that passed is noted in `test/conformance/expected.json` as well.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXPECTED_PATH, prepareConformance, runSuites, SUITES } from './conformance-suites.mjs';
import { installPackages, mustRun, ROOT, SETUP, tool } from './steps.mjs';

const PAGE = join(ROOT, 'docs/conformance.md');
const BEGIN = '<!-- results: npm run conformance writes them -->';
const END = '<!-- end of results -->';

installPackages();
mkdirSync(SETUP, { recursive: true });
mustRun('compile src', process.execPath, [tool('typescript'), '-p', 'tsconfig.json']);
const python = prepareConformance();
if (python === null) process.exit(1);
const results = await runSuites(python);
if (process.argv.includes('--record')) record();
const text = `${table()}\n\n${reasons()}`;
console.log(text);
const page = readFileSync(PAGE, 'utf8');
writeFileSync(PAGE, `${page.split(BEGIN)[0]}${BEGIN}\n\n${text}\n\n${END}${page.split(END)[1]}`);
const failures = SUITES.flatMap(({ name }) => results[name].failures);
for (const failure of failures) console.log(`failed: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

function record() {
  const expected = JSON.parse(readFileSync(EXPECTED_PATH, 'utf8'));
  for (const { name } of SUITES) expected.suites[name].passed = results[name].passed;
  writeFileSync(EXPECTED_PATH, `${JSON.stringify(expected, null, 2)}\n`);
}

function table() {
  const rows = SUITES.map(({ name, title, version, what }) => {
    const { ran, passed, failed, skipped, seconds } = results[name];
    console.log(`${title}: ${seconds.toFixed(0)} s`);
    return `| ${title} | ${version} | ${what} | ${ran} | ${passed} | ${failed} | ${skipped} |`;
  });
  const head = '| suite | version | part | ran | passed | failed | skipped |\n|---|---|---|---|---|---|---|';
  return `${head}\n${rows.join('\n')}`;
}

/** Why tests fail, with their names; those that nobody has explained come last. */
function reasons() {
  const expected = JSON.parse(readFileSync(EXPECTED_PATH, 'utf8'));
  const unexplained = 'Not explained.';
  const byReason = new Map([...Object.values(expected.reasons), unexplained].map((reason) => [reason, []]));
  for (const { name, title } of SUITES) {
    for (const test of Object.keys(results[name].failing)) {
      const reason = expected.reasons[expected.suites[name].failing[test]] ?? unexplained;
      byReason.get(reason).push(`\`${test}\` (${title})`);
    }
  }
  return [...byReason]
    .filter(([, tests]) => tests.length > 0)
    .map(([reason, tests]) => `**${reason}**\n\n${tests.map((test) => `- ${test}`).join('\n')}`)
    .join('\n\n');
}
