import { ViaductError } from '../errors.ts';

/**
 * A path such as `/app`, not percent-encoded, as the beginning of other paths, segment by segment: it is one of `/app` and `/app/x`, not of
 * `/apple`. A request may have encoded letters that need none (RFC 3986 section 6.2.2.2): `/%61pp/x` begins with it too, because the
 * application behind sees them decoded. An encoded slash is part of a segment.
 */
export class PathPrefix {
  /** Without a final slash; '' is the beginning of every path. */
  readonly path: string;
  readonly #segments: readonly string[];

  /**
   * `setting` says where `path` stands.
   *
   * @throws ViaductError `SETTINGS` when it does not begin with a slash, or has empty segments, dots for segments, a query or a control.
   */
  constructor(path: string, setting: string) {
    const bare = path.replace(/\/$/, '');
    const segments = bare.split('/');
    const isWrong = segments.slice(1).some((segment) => segment === '' || segment === '.' || segment === '..');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for
    if (segments[0] !== '' || path === '' || isWrong || /[?#\\\x00-\x1f\x7f]/.test(path)) {
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(path)}: it is no path`, {
        advice: 'Write a path that begins with a slash, as it is decoded: /app or /app/.',
      });
    }
    this.path = bare;
    this.#segments = segments;
  }

  /** How many characters of the percent-encoded `path` the prefix takes; -1 when `path` is not below it. */
  lengthIn(path: string): number {
    const { length } = this.path;
    if (path.startsWith(this.path) && (length === path.length || path[length] === '/') && !this.path.includes('%')) {
      return length;
    }
    return path.includes('%') ? this.#encodedLengthIn(path) : -1;
  }

  #encodedLengthIn(path: string): number {
    let end = 0;
    for (const [index, segment] of this.#segments.entries()) {
      if (index > 0) end += 1;
      if (end > path.length) return -1;
      const slash = path.indexOf('/', end);
      const next = slash < 0 ? path.length : slash;
      if (decode(path.slice(end, next)) !== segment) return -1;
      end = next;
    }
    return end;
  }
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
