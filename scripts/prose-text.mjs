import { codePieces, pythonPieces } from './prose-lexer.mjs';

/**
 * A piece of prose, such as a paragraph, a comment or a message. Code in it is replaced, so that only words are left.
 *
 * @typedef {object} Passage
 * @property {string} text
 * @property {string} raw the same with its code
 * @property {readonly number[]} lines the number of the line, for each character
 * @property {boolean} [isHeading]
 */

/** Stands where code was: in prose it reads like a noun. */
const CODE = 'Q';

/**
 * The prose of a file: paragraphs of Markdown; comments and messages of TypeScript, JavaScript and Python; titles of tests.
 *
 * @param {string} path decides which kind of file it is
 * @param {string} source
 * @returns {readonly Passage[]}
 */
export function proseOf(path, source) {
  if (path.endsWith('.md')) return markdownPassages(source);
  if (/^test\/(?!scripts\/).*\.test\.ts$/.test(path)) return titlePassages(source, TEST_TITLE, (title) => title);
  if (/^test\/.*\.py$/.test(path)) return titlePassages(source, PYTHON_TITLE, (title) => title.replaceAll('_', ' '));
  if (path.startsWith('test/')) return [];
  if (/\.[cm]?[jt]s$/.test(path)) return codePassages(source, codePieces(source));
  if (path.endsWith('.py')) return codePassages(source, pythonPieces(source));
  return [];
}

const TEST_TITLE =
  /\b(?:it|test|describe|suite)(?:\.\w+)?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
const PYTHON_TITLE = /^ *def test_(\w+)/gm;

function titlePassages(source, pattern, textOf) {
  return [...source.matchAll(pattern)].flatMap((match) => {
    const title = match.slice(1).find((group) => group !== undefined) ?? '';
    const start = match.index + match[0].lastIndexOf(title);
    return passagesOf(
      [...textOf(masked(title, /\$\{[^}]*\}/g))].map((char, at) => [char, start + at]),
      lineNumbers(source),
    );
  });
}

/** A paragraph, a list item, a heading or a cell of a table is a passage. */
function markdownPassages(source) {
  const blank = (text) => text.replace(/[^\n]/g, ' ');
  const text = source.replace(/<!--[\s\S]*?-->/g, blank);
  const passages = [];
  let chars = [];
  const lineOf = lineNumbers(source);
  let isHeading = false;
  const end = () => {
    passages.push(...passagesOf(chars, lineOf).map((passage) => ({ ...passage, isHeading })));
    chars = [];
  };
  let fence = null;
  let isList = false;
  let isAfterBlank = true;
  let at = 0;
  for (const line of text.split('\n')) {
    const start = at;
    at += line.length + 1;
    const marker = /^ *(```+|~~~+)/.exec(line)?.[1];
    if (fence !== null) {
      if (marker?.startsWith(fence)) fence = null;
      continue;
    }
    const isBlank = line.trim() === '';
    const isCode = /^(?: {4}|\t)/.test(line) && isAfterBlank && !isList;
    if (marker !== undefined) fence = marker;
    if (isBlank || isCode || marker !== undefined) {
      end();
      isAfterBlank = true;
      continue;
    }
    isAfterBlank = false;
    const prefix = /^(?:[ >]*(?:[-*+]|\d+\.) +(?:\[[ x]\] +)?| *#{1,6} +|[ >]+)?/.exec(line)[0];
    if (/[-*+#.]/.test(prefix) || line.startsWith('|')) end();
    isHeading = prefix.includes('#');
    isList = /[-*+.]/.test(prefix) || (isList && line.startsWith(' '));
    for (let index = prefix.length; index < line.length; index++) {
      if (line.startsWith('|') && line[index] === '|' && line[index - 1] !== '\\') end();
      else chars.push([line[index], start + index]);
    }
    if (line.startsWith('|') || isHeading) end();
    else chars.push([' ', start + line.length]);
  }
  end();
  return passages;
}

/** Comments that follow each other line by line are one passage, and so are strings that `+` joins. */
function codePassages(source, pieces) {
  const lineOf = lineNumbers(source);
  const groups = [];
  let before = null;
  for (const piece of pieces) {
    const between = before === null ? null : source.slice(before.end, piece.start);
    const isJoined =
      before?.kind === piece.kind && (piece.kind === 'comment' ? /^\n[ \t]*$/ : /^\s*\+?\s*$/).test(between);
    if (isJoined) groups.at(-1).push(piece);
    else groups.push([piece]);
    before = piece;
  }
  return groups.flatMap((group) => {
    const chars = group.flatMap(({ kind, from, to }) => [
      ...(kind === 'comment' ? commentChars(source, from, to) : stringChars(source, from, to)),
      ...(kind === 'comment' ? [[' ', to]] : []),
    ]);
    const isMessage = group[0].kind === 'comment' || /\w \S/.test(chars.map(([char]) => char).join(''));
    return isMessage ? passagesOf(chars, lineOf) : [];
  });
}

/** Leaves out the stars and signs before each line. A blank line, a tag or an item of a list ends the passage. */
function commentChars(source, from, to) {
  const chars = [];
  let at = from;
  for (const line of source.slice(from, to).split('\n')) {
    const prefix = /^[\s*/#!]*/.exec(line)[0];
    const rest = line.slice(prefix.length);
    if (rest === '' || /^(?:@\w+|[-•] )/.test(rest)) chars.push(['\n', at]);
    const words = rest
      .replace(/^@\w+ (?:\{.*?\} )?(?:\[?[\w.]+(?:=\S+)?\]? )?/, (tag) => ' '.repeat(tag.length))
      .replace(/\{@link [^}]*\}/g, (link) => CODE.repeat(link.length));
    for (let index = 0; index < words.length; index++) chars.push([words[index], at + prefix.length + index]);
    chars.push([' ', at + line.length]);
    at += line.length + 1;
  }
  return chars;
}

/** Reads escapes, and puts a noun in the place of a template's expressions. */
function stringChars(source, from, to) {
  const chars = [];
  const text = masked(source.slice(from, to), /\$?\{(?:[^{}]|\{[^}]*\})*\}/g);
  for (let index = 0; index < text.length; index++) {
    if (text[index] !== '\\') chars.push([text[index], from + index]);
    else chars.push([text[++index] === 'n' ? '\n' : (text[index] ?? ''), from + index]);
  }
  return chars;
}

/** Splits at newlines, makes one space of several, and replaces code, links and addresses. */
function passagesOf(chars, lineOf) {
  const passages = [];
  let raw = '';
  let lines = [];
  const end = () => {
    raw = raw.trimEnd();
    const text = [/(`+)(?:(?!\1).)+\1/g, /\]\([^)]*\)/g, /\b[a-z]+:\/\/\S+/g].reduce(masked, raw);
    if (raw !== '') passages.push({ text, raw, lines });
    raw = '';
    lines = [];
  };
  for (const [char, at] of chars) {
    if (char === '\n') end();
    else if (/\S/.test(char) || (raw !== '' && !raw.endsWith(' '))) {
      raw += /\S/.test(char) ? char : ' ';
      lines.push(lineOf(at));
    }
  }
  end();
  return passages;
}

/** @returns {string} `text` of the same length, with nouns for what the pattern finds */
function masked(text, pattern) {
  return text.replace(pattern, (code) => CODE.repeat(code.length));
}

/** @returns {(offset: number) => number} the number of the line, from 1 */
export function lineNumbers(source) {
  const ends = [];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) ends.push(at);
  return (offset) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
