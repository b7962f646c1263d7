import type { HeaderList } from '../http/message.ts';
import type { Response } from '../http/response.ts';
import { isSafePath, percentDecoded } from './accel-target.ts';
import { PlainCandidate } from './candidate.ts';
import { FileCache } from './file-cache.ts';
import { respondWithFile } from './file-response.ts';
import { nameFromBytes } from './path.ts';
import { Presenter } from './presentation.ts';

const CACHE_BYTES_MAX = 8 * 1024 * 1024;
/** The application decides for each request who may see the file. */
const LIFETIME = 'private, no-cache';

/** Files that an application names by absolute paths, if they are really in one of the allowed directories. */
export class SentFiles {
  readonly #directories: readonly string[];
  readonly #presenter = new Presenter({ urlPrefix: '/', directories: [] }, LIFETIME);
  readonly #cache = new FileCache({ bytesMax: CACHE_BYTES_MAX, revalidateMs: 0 });

  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /**
   * The response with the file at `path`, unchanged or else percent-decoded, because applications send both forms. Null
   * without a file.
   *
   * @param path latin-1 whose characters represent bytes
   */
  async respond(path: string, method: 'GET' | 'HEAD', headers: HeaderList): Promise<Response | null> {
    const decoded = percentDecoded(path);
    const paths = decoded === null || decoded === path ? [path] : [path, decoded];
    for (const octets of paths) {
      const file = isSafePath(octets) ? await this.#load(nameFromBytes(Buffer.from(octets, 'latin1'))) : null;
      if (file !== null) return respondWithFile(file, method, headers);
    }
    return null;
  }

  #load(path: string) {
    const candidates = this.#directories.map((root) => new PlainCandidate(root, path, this.#presenter));
    return this.#cache.load(path, candidates);
  }
}
