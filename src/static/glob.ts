/**
 * Converts a glob to a regular expression for paths that start with a slash. `*` and `?` stay within a segment, `**`
 * does not, `{a,b}` matches either. A pattern without a slash applies to the last segment of any path.
 */
export function globToRegExp(pattern: string): RegExp {
  const rooted = pattern.includes('/') ? pattern.replace(/^\/?/, '/') : `/**/${pattern}`;
  let depth = 0;
  const source = rooted.replace(TOKENS, (token) => {
    if (token === '/**/') return '/(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token === '{') {
      depth += 1;
      return '(?:';
    }
    if (token === '}' && depth > 0) {
      depth -= 1;
      return ')';
    }
    if (token === ',') return depth > 0 ? '|' : ',';
    return `\\${token}`;
  });
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's');
}

/** Special characters of a glob or of a regular expression. A run of stars is one token. */
const TOKENS = /\/\*{2,}\/(?:\*{2,}\/)*|\*{2,}|[*?{},\\^$+.()|[\]]/g;
