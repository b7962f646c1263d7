import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './viaduct.ts';

const DOCS = join(ROOT, 'docs');

/** The names of all pages in `docs`. */
export function pageNames(): string[] {
  return readdirSync(DOCS).filter((name) => name.endsWith('.md'));
}

/** The text of `docs/NAME`. */
export function readPage(name: string): string {
  return readFileSync(join(DOCS, name), 'utf8');
}

/** The text below the heading `title`, down to the next heading of the same or a higher level. */
export function sectionOf(page: string, title: string): string {
  const lines = page.split('\n');
  const headings = headingsOf(page);
  const at = headings.findIndex((heading) => heading.title === title);
  const heading = headings[at];
  if (heading === undefined) throw new Error(`no heading "${title}"`);
  const next = headings.slice(at + 1).find(({ level }) => level <= heading.level);
  return lines.slice(heading.line + 1, next?.line ?? lines.length).join('\n');
}

/** A heading of a page. */
export interface Heading {
  readonly level: number;
  readonly title: string;
  readonly line: number;
}

/** The headings of a page. Lines in code blocks do not count. */
export function headingsOf(page: string): Heading[] {
  let fenced = false;
  return page.split('\n').flatMap((text, line) => {
    if (/^\s*```/.test(text)) fenced = !fenced;
    const [, marks = '', title = ''] = (fenced ? null : /^(#{1,6}) (.+)$/.exec(text)) ?? [];
    return marks === '' ? [] : [{ level: marks.length, title: title.trim(), line }];
  });
}

/** The rows of all tables in `text`, as cells of Markdown, without the head and the line below it. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter((line, index) => {
      const isHead = /^\|[\s:|-]+\|$/.test(lines[index + 1] ?? '');
      return line.startsWith('| ') && !isHead && !/^\|[\s:|-]+\|$/.test(line);
    })
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** The code blocks in `text`, each with the language after its fence. */
export function codeBlocks(text: string): { readonly language: string; readonly text: string }[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }));
}

/** The words between backticks in `text`. */
export function codeWords(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}
