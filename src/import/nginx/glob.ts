import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files that match an absolute path with `*`, `?` and `[…]`, in the order of their names. Node has this only since version 22. */
export function globSync(pattern: string): string[] {
  let paths = ['/'];
  for (const segment of pattern.split('/').filter((one) => one !== '')) {
    paths = /[*?[]/.test(segment)
      ? paths.flatMap((path) => matching(path, segment))
      : paths.map((path) => join(path, segment));
  }
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function matching(directory: string, segment: string): string[] {
  const source = segment.replace(/\[!?[^\]]+\]|[*?]|[\\^$.|+(){}[\]]/g, (token) => {
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.length > 2) return token.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return `\\${token}`;
  });
  const expression = expressionOf(source);
  if (expression === null) return [];
  const names = namesIn(directory).filter(
    (name) => expression.test(name) && !(name.startsWith('.') && segment[0] !== '.'),
  );
  return names.sort().map((name) => join(directory, name));
}

function expressionOf(source: string): RegExp | null {
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return null;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
