import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/steps.mjs';
import { chosenTable, describe, targetsTable } from './report.mjs';

/** The rows of the README: a scenario, and the stack beside Viaduct. The last two are among Viaduct's worst. */
const CHOSEN = [
  ['django-browser', 'nginx+gunicorn'],
  ['django-browser', 'granian'],
  ['static-100k', 'nginx'],
  ['memory', 'gunicorn'],
  ['proxy', 'nginx'],
  ['tls', 'nginx'],
];

const TABLES = {
  'README.md': (results) => chosenTable(results, CHOSEN),
  'bench/README.md': (results) => `${describe(results)}\n\n${targetsTable(results)}`,
};

/** A page has its table between these two lines. The command is in the first one. */
const BEGIN = (command) => `<!-- Written by ${command}: do not edit. -->\n`;
const END = '<!-- The end of the written part. -->\n';

/**
 * The pages that show figures of a complete run, by their paths, with the figures of `results` in them.
 *
 * @param {Parameters<typeof describe>[0]} results
 * @returns {Map<string, string>}
 */
export function renderPages(results) {
  return new Map(
    Object.entries(TABLES).map(([path, table]) => [path, pageWith(path, 'npm run bench', table(results))]),
  );
}

/** Writes the pages that show figures of a complete run. */
export function writePages(results) {
  for (const [path, text] of renderPages(results)) writeFileSync(join(ROOT, path), text);
}

/**
 * A page with `text` in the part that `command` writes.
 *
 * @param {string} path in the project
 * @param {string} command
 * @param {string} text lines; the front page has no room for empty ones around them
 */
export function pageWith(path, command, text) {
  const page = readFileSync(join(ROOT, path), 'utf8');
  const first = BEGIN(command);
  const begin = page.indexOf(first);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`Cannot write the figures into ${path}: its two comments are missing`);
  return `${page.slice(0, begin)}${first}${text}${page.slice(end)}`;
}
