/**
 * `npm run prose`: finds turns of phrase that a reader stumbles over, and names that the project no longer uses, in documentation, comments,
 * messages and titles of tests. `npm run prose -- PATH …` looks at these files and directories only.
 *
 * A place that has to stay says why, in its own line or the line before: `prose allows <id>: reason`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { PATTERNS, WORDS } from './prose-patterns.mjs';
import { lineNumbers, proseOf } from './prose-text.mjs';
import { ROOT } from './steps.mjs';

/** What others wrote, or programs. */
const NOT_OURS = [
  'bench/results', // figures
  'package-lock.json',
  'scripts/prose-patterns.mjs', // holds what is looked for
  'test/conformance/expected.json', // names of other projects' tests
  'test/deploy-tools',
  'test/h2spec',
  'test/import/cases', // configurations of other servers
  'test/scripts/prose.test.ts',
  'test/wire',
];
const NOT_OURS_ANYWHERE = new Set(['node_modules', 'dist', '.build', '.git', '.setup', '.venv', 'var', '__pycache__']);
const TEXT = /\.(?:md|[cm]?[jt]s|py|json|toml|ya?ml|conf|ini|hcl|service|socket|tpl|txt)$|(?:^|\/)Containerfile$/;
const CODE = /\.(?:[cm]?[jt]s|py)$/;
const EXCEPTION = /prose allows ([\w/-]+)(?:: *(\S.*?))?(?= *(?:-->|\*\/|$))/gm;

/**
 * Checks files and prints what it finds.
 *
 * @param {readonly string[]} [paths] files and directories; the whole project when absent
 * @returns {boolean} whether nothing was found
 */
export function checkProse(paths = ['.']) {
  console.log('- prose');
  const files = paths.flatMap((path) => filesBelow(resolve(ROOT, path)));
  const findings = files.flatMap((path) => findingsIn(relative(ROOT, path), readFileSync(path, 'utf8')));
  for (const { path, line, words, instead } of findings) console.log(`${path}:${line}: "${words}": ${instead}`);
  if (findings.length === 0) return true;
  const count = new Set(findings.map(({ path }) => path)).size;
  const advice = 'A place that has to stay says why, in its line or the line before: "prose allows <id>: reason".';
  console.log(`${findings.length} places in ${count} ${count === 1 ? 'file' : 'files'}. ${advice}`);
  return false;
}

/**
 * @typedef {{ path: string, line: number, words: string, instead: string }} Finding
 *
 * @param {string} path relative to the project
 * @param {string} source
 * @returns {Finding[]}
 */
export function findingsIn(path, source) {
  const exceptions = exceptionsIn(source);
  const text = source.replace(EXCEPTION, (exception) => ' '.repeat(exception.length));
  const found = [...phrasesIn(path, text), ...retiredWordsIn(path, text)];
  const left = found.filter(({ id, line }) => {
    const exception = exceptions.find((each) => each.id === id && (line === each.line || line === each.line + 1));
    if (exception !== undefined) exception.isUsed = true;
    return exception === undefined;
  });
  const wrong = exceptions.filter(({ isUsed, reason }) => !isUsed || reason === undefined);
  return [...left, ...wrong.map(asFinding)]
    .sort((a, b) => a.line - b.line)
    .map(({ line, words, instead }) => ({ path, line, words, instead }));
}

function exceptionsIn(source) {
  const lineOf = lineNumbers(source);
  return [...source.matchAll(EXCEPTION)].map((match) => ({
    id: match[1],
    reason: match[2],
    line: lineOf(match.index),
    isUsed: false,
  }));
}

function asFinding({ id, line, isUsed }) {
  const instead = isUsed
    ? 'give the reason behind a colon'
    : 'remove it: there is nothing to allow in this line or the next';
  return { line, words: `prose allows ${id}`, instead };
}

function phrasesIn(path, source) {
  return proseOf(path, source).flatMap(({ text, raw, lines, isHeading }) =>
    PATTERNS.filter(({ inSentences }) => !(inSentences && isHeading)).flatMap(({ id, pattern, instead }) =>
      [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map((match) => ({
        id,
        line: lines[match.index],
        words: excerpt(raw, match.index, match[0].length),
        instead: `write ${instead} [${id}]`,
      })),
    ),
  );
}

/** The words that were found, with a little of what is around them. */
function excerpt(text, at, length) {
  const end = Math.min(text.length, at + Math.max(length, 1) + 24);
  const shown = text
    .slice(Math.max(0, at - 16), end)
    .replace(/Q{2,}/g, '…')
    .trim();
  return `${at > 16 ? '…' : ''}${shown}${end < text.length ? '…' : ''}`;
}

function retiredWordsIn(path, source) {
  const lineOf = lineNumbers(source);
  return RETIRED.flatMap(({ word, instead, exact, pattern }) => {
    if (exact && !CODE.test(path)) return [];
    // Projects that tests make have directories of any name.
    if (word.includes('/') && path.startsWith('test/')) return [];
    const inName =
      !exact && pattern.test(path)
        ? [{ id: word, line: 1, words: basename(path), instead: `name the file after ${instead} [${word}]` }]
        : [];
    const inText = [...source.matchAll(new RegExp(pattern, 'g'))].map((match) => ({
      id: word,
      line: lineOf(match.index),
      words: match[0],
      instead: `write ${instead} [${word}]`,
    }));
    return [...inName, ...inText];
  });
}

const RETIRED = WORDS.map((entry) => ({ ...entry, pattern: wordPattern(entry) }));

/** Finds a name in all spellings that a name can have; an exact one, and a path, as it is. */
function wordPattern({ word, exact = false, joined = false }) {
  if (exact) return new RegExp(String.raw`(?<![\w$-])${word}(?![\w$-])`);
  if (word.includes('/')) return new RegExp(String.raw`(?<![\w./-]|\w/)${word}(?![\w-])`);
  const [first, ...rest] = word
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(' ');
  const between = joined ? '[_-]?' : '[ _-]?';
  const capital = (part) => part[0].toUpperCase() + part.slice(1);
  const tail = rest.map((part) => `${between}[${part[0]}${part[0].toUpperCase()}]${part.slice(1)}`).join('');
  return new RegExp(`(?:(?<![A-Za-z])${first}|${capital(first)})${tail}(?:e?s)?(?![a-z])`);
}

function filesBelow(path) {
  if (!existsSync(path)) {
    console.log(`Cannot check "${relative(ROOT, path)}": it does not exist`);
    process.exit(2);
  }
  const name = relative(ROOT, path).replaceAll('\\', '/');
  if (NOT_OURS_ANYWHERE.has(basename(path)) || NOT_OURS.includes(name)) return [];
  if (!statSync(path).isDirectory()) return TEXT.test(path) ? [path] : [];
  return readdirSync(path)
    .sort()
    .flatMap((entry) => filesBelow(join(path, entry)));
}

if (process.argv[1] === import.meta.filename) {
  const paths = process.argv.slice(2);
  process.exitCode = checkProse(paths.length === 0 ? undefined : paths) ? 0 : 1;
}
