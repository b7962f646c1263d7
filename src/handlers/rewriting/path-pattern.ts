import { bytesOf } from '../../placeholders/bytes.ts';
import type { Groups } from '../../placeholders/placeholder.ts';
import { Pattern } from '../../routing/pattern.ts';
import { routingPath } from '../../routing/routing-path.ts';

/** A pattern for the path of requests: as the client sent it, or decoded as routes compare it. */
export class PathPattern {
  /** The groups for texts beside the pattern. */
  readonly groups: Groups;
  readonly #pattern: Pattern;
  readonly #isDecoded: boolean;

  /**
   * `setting` is the name of the setting, for the error.
   *
   * @throws ViaductError `SETTINGS` for an invalid or unsupported regular expression
   */
  constructor(source: string, isDecoded: boolean, setting: string) {
    this.#pattern = new Pattern(source, setting);
    this.#isDecoded = isDecoded;
    this.groups = { names: this.#pattern.groupNames, areEncoded: !isDecoded };
  }

  /** The groups for a percent-encoded path; null if it does not match. A path that programs read differently (`routingPath`) does not match. */
  match(path: string): readonly string[] | null {
    if (!this.#isDecoded) return this.#pattern.match(path);
    const decoded = routingPath(path);
    return decoded === null ? null : (this.#pattern.match(decoded)?.map(bytesOf) ?? null);
  }
}

/** The description of the option `decoded`. */
export const DECODED =
  'Whether pattern is compared with the decoded path with single slashes, as routes compare it, so that each spelling of a path matches.';
