/** The target of a request, decoded as nginx does it. */
export interface Target {
  /** The host of a target such as `http://example.org/`. */
  readonly host: string | null;
  /** The path, decoded and without dots. */
  readonly path: string;
  /** What follows the question mark. */
  readonly args: string;
  /** The path and the arguments as received. */
  readonly received: string;
  /** The path contained an escape. */
  readonly isQuoted: boolean;
  readonly hasPlus: boolean;
  /** A URL without a path. */
  readonly lacksPath: boolean;
}

/** A target that nginx refuses with 400: `line` before it knows the method, `path` after. */
export interface RefusedTarget {
  readonly refused: 'line' | 'path';
}

/** Reads the target of a request. */
export function parseTarget(target: string, mergesSlashes: boolean): Target | RefusedTarget {
  if (/[\0-\x20\x7f]/.test(target)) return { refused: 'line' };
  const [, host = null, rest = target] = /^[a-zA-Z]+:\/\/([^/?]*)(.*)$/s.exec(target) ?? [];
  if (host !== null && !/^[\w.-]+(?::\d*)?$|^\[[^\]]*\](?::\d*)?$/.test(host)) return { refused: 'line' };
  const lacksPath = host !== null && !rest.startsWith('/');
  const received = lacksPath ? `/${rest}` : rest;
  if (!received.startsWith('/')) return { refused: 'line' };
  const end = /[?#]/.exec(received)?.index ?? received.length;
  const path = cleanPath(received.slice(0, end), mergesSlashes);
  if (path === null) return { refused: 'path' };
  const args = received[end] === '?' ? (received.slice(end + 1).split('#')[0] as string) : '';
  return {
    host,
    path,
    args,
    received: lacksPath ? rest || '/' : received,
    isQuoted: received.slice(0, end).includes('%'),
    hasPlus: /\+|%2b/i.test(received.slice(0, end)),
    lacksPath,
  };
}

/** Decodes, removes dots and doubled slashes. An escaped slash or dot counts like a plain one. */
function cleanPath(path: string, mergesSlashes: boolean): string | null {
  if (!/%|\/[/.]/.test(path)) return path;
  if (/%(?![0-9a-fA-F]{2})|%00/.test(path)) return null;
  const decoded = path.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const segments = decoded.slice(1).split('/');
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') {
      if (kept.length === 0) return null;
      kept.pop();
      if (isLast) kept.push('');
    } else if (segment === '.') {
      if (isLast) kept.push('');
    } else if (segment !== '' || isLast || !mergesSlashes) kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
