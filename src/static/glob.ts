/**
 * A glob as an expression for paths that begin with a slash. `*` and `?` stay within a segment, `**` does not, `{a,b}` is either. A
 * pattern without a slash is for the last segment, wherever it is.
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

/** What means something in a glob, and what does in an expression. A run of stars is one. */
const TOKENS = /\/\*{2,}\/(?:\*{2,}\/)*|\*{2,}|[*?{},\\^$+.()|[\]]/g;
