import { basename, dirname, isAbsolute, resolve } from 'node:path';
import type { Statement } from '../import-report.ts';
import { readText } from '../read-text.ts';
import { refused } from '../refused.ts';
import { globSync } from './glob.ts';
import { Tokens } from './tokens.ts';

/** A directive with its arguments and, for a block, its content. */
export interface Directive extends Statement {
  readonly name: string;
  readonly args: readonly string[];
  /** Null for a directive that ends with a semicolon. */
  readonly block: readonly Directive[] | null;
}

export interface Tree {
  readonly directives: readonly Directive[];
  readonly missing: readonly Directive[];
}

const DEPTH_MAX = 32;
const FILES_MAX = 1000;
const DIRECTIVES_MAX = 100_000;

/** Formats a path for messages. */
export type Show = (path: string) => string;

/**
 * Reads an nginx configuration and the files that it includes. Relative paths of `include` start at the directory of `path`.
 *
 * @throws ViaductError `SETTINGS` with file and line
 */
export function readTree(path: string, show: Show): Tree {
  return new Reader(dirname(path), show).read(path);
}

/** As `readTree`, for a text. */
export function parseTree(text: string, file: string): Tree {
  return new Reader('/', () => file).parse(text, file);
}

class Reader {
  readonly #base: string;
  readonly #show: Show;
  readonly #missing: Directive[] = [];
  #depth = 0;
  #files = 0;
  #directives = 0;

  constructor(base: string, show: Show) {
    this.#base = base;
    this.#show = show;
  }

  read(path: string): Tree {
    return this.parse(readText(path, this.#show(path)), this.#show(path));
  }

  parse(text: string, file: string): Tree {
    const directives = this.#block(new Tokens(text, file), file, null);
    return { directives, missing: this.#missing };
  }

  /** Directives up to the end of the block that `opened` started, or of the file. */
  #block(tokens: Tokens, file: string, opened: Statement | null): Directive[] {
    const found: Directive[] = [];
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw refused(tokens.place, 'blocks and files are nested too deep');
    for (;;) {
      const token = tokens.next();
      const place = { file, line: token.line };
      if (token.kind === 'end' && opened !== null) {
        throw refused(opened, `the block "${opened.text}" does not end`, 'A closing brace is missing.');
      }
      if (token.kind === '}' && opened === null) throw refused(place, 'a closing brace without a block');
      if (token.kind === 'end' || token.kind === '}') break;
      if (token.kind !== 'word') throw refused(place, `"${token.text}" where a directive should start`);
      const directive = this.#directive(token.text, tokens, file, token.line);
      if (directive.name === 'include') found.push(...this.#included(directive));
      else found.push(directive);
    }
    this.#depth -= 1;
    return found;
  }

  #directive(name: string, tokens: Tokens, file: string, line: number): Directive {
    this.#directives += 1;
    if (this.#directives > DIRECTIVES_MAX) throw refused({ file, line }, 'there are too many directives');
    const args: string[] = [];
    const shown = [name];
    for (;;) {
      const token = tokens.next();
      const statement = { file, line, text: shown.join(' ') };
      if (token.kind === 'word') {
        args.push(token.text);
        shown.push(token.quoted ? `"${token.text}"` : token.text);
      } else if (token.kind === ';') return { ...statement, name, args, block: null };
      else if (token.kind === '{' && /_by_lua_block$/.test(name)) {
        tokens.skipForeignBlock();
        return { ...statement, name, args, block: [] };
      } else if (token.kind === '{') {
        return { ...statement, name, args, block: this.#block(tokens, file, statement) };
      } else {
        throw refused({ file, line }, `the directive "${name}" does not end`, 'A semicolon is missing.');
      }
    }
  }

  #included(directive: Directive): Directive[] {
    const [pattern = ''] = directive.args;
    if (directive.args.length !== 1 || directive.block !== null) throw refused(directive, 'include takes one path');
    const path = isAbsolute(pattern) ? pattern : resolve(this.#base, pattern);
    const paths = globSync(path);
    if (paths.length === 0 && basename(pattern) === 'proxy_params') return proxyParams(directive);
    if (paths.length === 0 && !/[*?[]/.test(pattern)) this.#missing.push(directive);
    return paths.flatMap((one) => {
      this.#files += 1;
      if (this.#files > FILES_MAX) throw refused(directive, 'too many files are included');
      const file = this.#show(one);
      return this.#block(new Tokens(readText(one, file), file), file, null);
    });
  }
}

/** Variables that Debian has in a file which other systems lack. */
function proxyParams({ file, line }: Directive): Directive[] {
  const fields = [
    ['Host', '$http_host'],
    ['X-Real-IP', '$remote_addr'],
    ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
    ['X-Forwarded-Proto', '$scheme'],
  ];
  return fields.map((args) => {
    const text = `proxy_set_header ${args.join(' ')} (of proxy_params)`;
    return { file, line, text, name: 'proxy_set_header', args, block: null };
  });
}
