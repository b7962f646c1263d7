import { chooseEncoding } from '../http/semantics/accept-encoding.ts';
import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';
import { encodeHeaders, Response } from '../http/response.ts';
import { typeQuality } from './accept.ts';
import { type Candidate, EncodedCandidate } from './candidate.ts';
import { isDirectory, readDirectory } from './directory.ts';
import type { FileCache } from './file-cache.ts';
import { respondWithFile } from './file-response.ts';
import { listingResponse } from './listing.ts';
import type { Coding, StaticMount } from './mount.ts';
import { encodePath } from './path.ts';
import { Place } from './location.ts';
import type { StaticFile } from './static-file.ts';

type Method = 'GET' | 'HEAD';

/** What several mounts together have for a path, looked up on disk where memory does not know. */
export class StaticSite {
  readonly #places: readonly Place[];
  readonly #cache: FileCache;

  /** @throws ViaductError `HEADER_INVALID` for fields of a mount that cannot be sent. */
  constructor(mounts: readonly StaticMount[], cache: FileCache) {
    for (const { headers = [] } of mounts) encodeHeaders(headers);
    this.#places = mounts.map((mount) => new Place(mount));
    this.#cache = cache;
  }

  /** Whether others may answer what no mount has a file for. */
  mayPass(path: string): boolean {
    return this.#placesAt(path).every((place) => place.fallsThrough);
  }

  /** The answer for a path that the client sent as `encoded`, or null. `path` is null when it cannot be that of a file. */
  async find(request: Request, method: Method, path: string | null): Promise<Response | null> {
    const places = this.#placesAt(path ?? request.path);
    if (path !== null) {
      const found = await this.#findFile(request, method, path, this.#candidates(path));
      if (found !== null) return found;
    }
    for (const place of places) {
      if (!place.hasMore) continue;
      const found = await this.#findMore(place, request, method, path);
      if (found !== null) return found;
    }
    return null;
  }

  /** The answer with a file that also lies compressed beside itself: the kind that the client likes best. */
  respondEncoded(request: Request, method: Method, key: string, file: StaticFile): Response | Promise<Response> {
    const { headers } = request;
    const coding = chooseEncoding(requestField(request, 'accept-encoding'), file.encodings ?? []) as Coding | null;
    if (coding === null) return respondWithFile(file, method, headers);
    const encodedKey = `${key}\0${coding}`;
    const fresh = this.#cache.fresh(encodedKey);
    if (fresh !== null && fresh.basis === file.presentation) return respondWithFile(fresh, method, headers);
    const release = file.hold();
    return this.#cache.load(encodedKey, [new EncodedCandidate(file, coding)]).then((encoded) => {
      const response = respondWithFile(encoded ?? file, method, headers);
      release();
      return response;
    });
  }

  #placesAt(path: string): Place[] {
    return this.#places.filter((place) => place.covers(path));
  }

  #candidates(path: string): Candidate[] {
    return this.#places.flatMap((place) => place.candidates(path));
  }

  async #findFile(request: Request, method: Method, key: string, candidates: Candidate[]): Promise<Response | null> {
    if (candidates.length === 0) return null;
    const file = await this.#cache.load(key, candidates);
    if (file === null) return null;
    if (file.encodings !== null) return this.respondEncoded(request, method, key, file);
    return respondWithFile(file, method, request.headers);
  }

  /** What a mount has for a path that is no file: a directory, or a file that stands for all that have none. */
  async #findMore(place: Place, request: Request, method: Method, path: string | null): Promise<Response | null> {
    if (path !== null && place.servesDirectories) {
      const found = path.endsWith('/')
        ? await listingAt(place, request, path)
        : await this.#redirectAt(place, request, path);
      if (found !== null) return found;
    }
    const id = this.#places.indexOf(place);
    const last = await this.#findFile(request, method, `\0${id}`, place.lastCandidates());
    if (last !== null) return last;
    const fallback = place.fallbackCandidates(path ?? request.path);
    const accepted = fallback.length > 0 && typeQuality(requestField(request, 'accept'), 'text/html') > 0;
    return accepted ? this.#findFile(request, method, `\0${id} fallback`, fallback) : null;
  }

  /** A directory that has something to show is at the path with a slash, because relative links count from there. */
  async #redirectAt(place: Place, { query }: Request, path: string): Promise<Response | null> {
    const target = `${path}/`;
    const hasIndex = (await this.#cache.load(target, this.#candidates(target))) !== null;
    const shows = hasIndex || (place.mount.listing === true && (await hasDirectory(place, target)));
    if (!shows) return null;
    const location = encodePath(target).replace(/^\/{2,}/, '/') + (query === '' ? '' : `?${query}`);
    return Response.text(301, 'Moved Permanently\n', ['Location', location, 'Cache-Control', 'no-cache']);
  }
}

async function listingAt(place: Place, request: Request, path: string): Promise<Response | null> {
  if (place.mount.listing !== true) return null;
  for (const { root, path: directory } of place.directories(path)) {
    const found = await readDirectory(root, directory);
    if (found === null) continue;
    return listingResponse(path, found, requestField(request, 'accept'), place.mount.headers ?? []);
  }
  return null;
}

async function hasDirectory(place: Place, path: string): Promise<boolean> {
  for (const { root, path: directory } of place.directories(path)) if (await isDirectory(root, directory)) return true;
  return false;
}
