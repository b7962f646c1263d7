import { ViaductError } from '../errors.ts';
import type { Request } from '../http/message.ts';
import { oneSlash } from './routing-path.ts';

/**
 * A path such as `/app`, not percent-encoded, as a prefix of whole segments: it is a prefix of `/app` and `/app/x`, but
 * not of `/apple`. A request may encode letters that need no encoding (RFC 3986 section 6.2.2.2). `/%61pp/x` therefore
 * also has the prefix, because the application receives the decoded path. An encoded slash is part of a segment.
 */
export class PathPrefix {
  /** The path without its final slash; '' is a prefix of every path. */
  readonly path: string;
  readonly #segments: readonly string[];

  /**
   * `setting` is the name of the setting, for the error.
   *
   * @throws ViaductError `SETTINGS` when `path` does not start with a slash, or contains empty segments, dot segments,
   * a query or a control character.
   */
  constructor(path: string, setting: string) {
    const bare = path.replace(/\/$/, '');
    const segments = bare.split('/');
    const hasBadSegment = segments.slice(1).some((segment) => segment === '' || segment === '.' || segment === '..');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression must find control characters
    if (segments[0] !== '' || path === '' || hasBadSegment || /[?#\\\x00-\x1f\x7f]/.test(path)) {
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(path)}: it is not a path`, {
        advice: 'Use a decoded path that starts with a slash, such as /app or /app/.',
      });
    }
    this.path = bare;
    this.#segments = segments;
  }

  /** The length of the prefix within the percent-encoded `path`; -1 when `path` does not have the prefix. */
  lengthIn(path: string): number {
    const { length } = this.path;
    if (path.startsWith(this.path) && (length === path.length || path[length] === '/') && !this.path.includes('%')) {
      return length;
    }
    return path.includes('%') ? this.#encodedLengthIn(path) : -1;
  }

  /**
   * The path of a request, and the part of it that leads to an application mounted here; null when the path does not have the
   * prefix. The prefix starts where `scriptName` ends. If only the path with plain slashes has the prefix, as `//app/x` or
   * `/app%2Fx`, the result is this path.
   */
  mountIn({ path, scriptName }: MountedPath): MountedPath | null {
    const outer = scriptName.length;
    const length = this.lengthIn(path.slice(outer));
    if (length >= 0) return { path, scriptName: path.slice(0, outer + length) };
    const plain = oneSlash(path);
    return plain === path ? null : this.mountIn({ path: plain, scriptName: oneSlash(scriptName) });
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

/** A path and the start of it that leads to an application, both percent-encoded. */
export type MountedPath = Pick<Request, 'path' | 'scriptName'>;

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
