/**
 * A comment or a string of a program. `start` and `end` are its bounds with its signs, `from` and `to` those of its text.
 *
 * @typedef {{ kind: 'comment' | 'string', start: number, end: number, from: number, to: number }} Piece
 */

/** After these a slash starts a regular expression, otherwise it divides. */
const BEFORE_REGEXP =
  /(?:^|[([{,;=:?!&|+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|yield|await))\s*$/;

/**
 * The comments and strings of TypeScript or JavaScript. What a template computes is part of its string.
 *
 * @param {string} source
 * @returns {Piece[]}
 */
export function codePieces(source) {
  const pieces = [];
  let at = 0;
  /** Where the code since the last comment starts. A comment says nothing about a slash. */
  let code = '';
  while (at < source.length) {
    const char = source[at];
    const two = source.slice(at, at + 2);
    if (two === '//' || (at === 0 && two === '#!')) at = addComment(pieces, at, 2, lineEnd(source, at), 0);
    else if (two === '/*') at = addComment(pieces, at, 2, source.indexOf('*/', at + 2) + 2, 2);
    else if (char === '/' && BEFORE_REGEXP.test(code)) {
      at = regExpEnd(source, at);
      code = '0';
    } else if (char === "'" || char === '"' || char === '`') {
      const end = char === '`' ? templateEnd(source, at) : stringEnd(source, at, char);
      pieces.push({ kind: 'string', start: at, end, from: at + 1, to: end - 1 });
      at = end;
      code = '0';
    } else {
      code = (code + char).slice(-12);
      at++;
    }
  }
  return pieces;
}

/**
 * The comments and strings of Python.
 *
 * @param {string} source
 * @returns {Piece[]}
 */
export function pythonPieces(source) {
  const pieces = [];
  let at = 0;
  while (at < source.length) {
    const quote = /^(?:"""|'''|"|')/.exec(source.slice(at, at + 3))?.[0];
    if (source[at] === '#') at = addComment(pieces, at, 1, lineEnd(source, at), 0);
    else if (quote !== undefined) {
      const end = stringEnd(source, at + quote.length - 1, quote);
      // A string of several lines is a docstring: it reads like a comment.
      const kind = quote.length === 3 ? 'comment' : 'string';
      pieces.push({ kind, start: at, end, from: at + quote.length, to: end - quote.length });
      at = end;
    } else at++;
  }
  return pieces;
}

function addComment(pieces, start, open, end, close) {
  const bound = end < start + open ? start + open : end;
  pieces.push({ kind: 'comment', start, end: bound, from: start + open, to: bound - close });
  return bound;
}

function lineEnd(source, at) {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

function stringEnd(source, at, quote) {
  for (let index = at + 1; index < source.length; index++) {
    if (source[index] === '\\') index++;
    else if (source.startsWith(quote, index)) return index + quote.length;
  }
  return source.length;
}

/** A template may hold code, and the code strings and templates. */
function templateEnd(source, at) {
  let depth = 0;
  for (let index = at + 1; index < source.length; index++) {
    const char = source[index];
    if (char === '\\') index++;
    else if (depth === 0 && char === '`') return index + 1;
    else if (source.startsWith('${', index)) {
      depth++;
      index++;
    } else if (depth > 0 && char === '{') depth++;
    else if (depth > 0 && char === '}') depth--;
    else if (depth > 0 && char === '`') index = templateEnd(source, index) - 1;
    else if (depth > 0 && (char === "'" || char === '"')) index = stringEnd(source, index, char) - 1;
  }
  return source.length;
}

function regExpEnd(source, at) {
  let inClass = false;
  for (let index = at + 1; index < source.length; index++) {
    const char = source[index];
    if (char === '\\') index++;
    else if (char === '\n') return at + 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return index + 1;
  }
  return at + 1;
}
