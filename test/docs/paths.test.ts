import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../support/viaduct.ts';

const DECISIONS = readdirSync(join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
/** Pages for people who read the code. */
const CODE_PAGES = ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...DECISIONS];

/** Where a relative path of a page may start. */
const BASES = ['', 'src', 'test'];
/** Folders in which a file may be named without its path, if no other file has the same name. */
const SOURCES = ['src', 'python', 'scripts'];
const SOURCE_FILES = SOURCES.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true }).map((path) => join(folder, String(path))),
);

const PATH = /^(?<path>[\w.-]+(?:\/[\w.-]+)*\/?)(?:: (?<name>#?\w+))?$/;
const EXTENSION = /\.(?:ts|mjs|js|py|md|json|toml|svg|png|sh|txt)$/;

/** What the page has in backticks and is a path: `docs/`, `src/errors.ts`, `lane.ts: send`. */
function pathsOf(page: string): { readonly path: string; readonly name: string | undefined }[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^(?:```[\s\S]*?^```| {4}.*)$/gm, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => {
    const { path = '', name } = PATH.exec(code)?.groups ?? {};
    return EXTENSION.test(path) || path.includes('/') ? [{ path, name }] : [];
  });
}

/** The file or directory that a page means; null when there is none, or several. */
function find(path: string): string | null {
  const found = BASES.map((base) => join(ROOT, base, path)).find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  const named = path.includes('/') ? [] : SOURCE_FILES.filter((file) => basename(file) === path);
  return named.length === 1 ? join(ROOT, named[0] as string) : null;
}

/** Whether `source` declares `name`: a function, class, type or constant, or a member of a class. */
function declares(source: string, name: string): boolean {
  const declared = `(?:function|class|interface|type|const|def|get|readonly) ${name}\\b|^${name} = `;
  const member = `^\\s+(?:(?:async|override|static|abstract|protected|private) )*${name}\\(`;
  return new RegExp(`${declared}|${member}`, 'm').test(source);
}

describe('a page about the code', () => {
  for (const page of CODE_PAGES) {
    it(`names files, and functions in them, that exist: ${page}`, () => {
      const wrong = pathsOf(page).flatMap(({ path, name }) => {
        const file = find(path);
        if (file === null) return [path];
        return name === undefined || declares(readFileSync(file, 'utf8'), name) ? [] : [`${path}: ${name}`];
      });
      assert.deepEqual(wrong, []);
    });
  }

  it('names files at all', () => {
    assert.ok(pathsOf('ARCHITECTURE.md').length > 60);
    assert.ok(pathsOf('ARCHITECTURE.md').filter(({ name }) => name !== undefined).length > 30);
  });

  it('takes what is declared for a function, and not what is called', () => {
    const source = `export class Queue {
  readonly #items = [];
  push(item) {
    this.#grow();
    return check(item);
  }

  async #drain() {}
}
const LENGTH_MAX = 3;
def recall(self):
`;
    for (const name of ['Queue', '#items', 'push', '#drain', 'LENGTH_MAX', 'recall']) assert.ok(declares(source, name));
    for (const name of ['#grow', 'check', 'drain', 'item']) assert.ok(!declares(source, name), name);
  });

  it('has an entry for each decision in the index', () => {
    const index = readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8');
    const pages = DECISIONS.map((page) => basename(page)).filter((name) => name !== 'README.md');
    assert.deepEqual(
      pages.filter((name) => !index.includes(`](${name})`)),
      [],
    );
  });
});

describe('the size of a page that everybody reads', () => {
  it('README.md fits two screens', () => assert.ok(linesOf('README.md').length <= 120));

  it('ARCHITECTURE.md fits three pages of 120 columns', () => {
    const lines = linesOf('ARCHITECTURE.md');
    assert.ok(lines.length <= 165);
    assert.deepEqual(
      lines.filter((line) => line.length > 120),
      [],
    );
  });

  it('the picture of README.md is small', () => {
    const { size } = statSync(join(ROOT, 'docs/images/viaduct.png'));
    assert.ok(size > 10_000 && size < 200_000);
  });
});

function linesOf(page: string): string[] {
  return readFileSync(join(ROOT, page), 'utf8').trimEnd().split('\n');
}
