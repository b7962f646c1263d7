import { requestField } from '../http/derived-request.ts';
import type { Request } from '../http/message.ts';
import { encodeHeaders, Response } from '../http/response.ts';
import { chooseEncoding } from '../http/semantics/accept-encoding.ts';
import { typeQuality } from './accept.ts';
import { type Candidate, EncodedCandidate } from './candidate.ts';
import { respondWithFile } from './file-response.ts';
import type { FileSource } from './file-source.ts';
import { listingResponse } from './listing.ts';
import { FileLocation } from './location.ts';
import type { Coding, StaticMount } from './mount.ts';
import { encodePath } from './path.ts';
import type { StaticFile } from './static-file.ts';

type Method = 'GET' | 'HEAD';

/** The files of several mounts by path. */
export class StaticSite {
  readonly #locations: readonly FileLocation[];
  readonly #files: FileSource;

  /** @throws ViaductError `HEADER_INVALID` for fields of a mount that cannot be sent. */
  constructor(mounts: readonly StaticMount[], files: FileSource) {
    for (const { headers = [] } of mounts) encodeHeaders(headers);
    this.#locations = mounts.map((mount) => new FileLocation(mount));
    this.#files = files;
  }

  /** Whether the next handlers may answer when no mount has a file. */
  mayPass(path: string): boolean {
    return this.#locationsAt(path).every((location) => location.fallsThrough);
  }

  /** The paths of mounts with indexes or listings, without their final slash. */
  get roots(): ReadonlySet<string> {
    const mounts = this.#locations.map(({ mount }) => mount.urlPrefix.slice(0, -1));
    return new Set(mounts.filter((path, index) => this.#locations[index]?.isRoot(path)));
  }

  /** The response for a path, or null. `path` is null when it cannot name a file. */
  async find(request: Request, method: Method, path: string | null): Promise<Response | null> {
    const locations = this.#locationsAt(path ?? request.path);
    if (path !== null) {
      const response = await this.#findFile(request, method, path, this.#candidates(path));
      if (response !== null) return response;
      const root = this.#locations.find((location) => location.isRoot(path));
      if (root !== undefined) return this.#redirectAt(root, request, path);
    }
    for (const location of locations) {
      if (!location.hasFurtherAnswers) continue;
      const response = await this.#findDirectoryOrFallback(location, request, method, path);
      if (response !== null) return response;
    }
    return null;
  }

  /** The response with the variant of `file` that the client prefers, when encoded files exist beside it. */
  respondEncoded(request: Request, method: Method, key: string, file: StaticFile): Response | Promise<Response> {
    const { headers } = request;
    const coding = chooseEncoding(requestField(request, 'accept-encoding'), file.encodings ?? []) as Coding | null;
    if (coding === null) return respondWithFile(file, method, headers);
    const encodedKey = `${key}\0${coding}`;
    const fresh = this.#files.fresh(encodedKey);
    if (fresh !== null && fresh.basis === file.presentation) return respondWithFile(fresh, method, headers);
    const release = file.hold();
    return this.#files.load(encodedKey, [new EncodedCandidate(file, coding)]).then((encoded) => {
      const response = respondWithFile(encoded ?? file, method, headers);
      release();
      return response;
    });
  }

  #locationsAt(path: string): FileLocation[] {
    return this.#locations.filter((location) => location.covers(path));
  }

  #candidates(path: string): Candidate[] {
    return this.#locations.flatMap((location) => location.candidates(path));
  }

  async #findFile(request: Request, method: Method, key: string, candidates: Candidate[]): Promise<Response | null> {
    if (candidates.length === 0) return null;
    const file = await this.#files.load(key, candidates);
    if (file === null) return null;
    if (file.encodings !== null) return this.respondEncoded(request, method, key, file);
    return respondWithFile(file, method, request.headers);
  }

  /** The response of a mount for a path without a file: a directory, or a file for all paths without a file. */
  async #findDirectoryOrFallback(
    location: FileLocation,
    request: Request,
    method: Method,
    path: string | null,
  ): Promise<Response | null> {
    if (path !== null && location.servesDirectories) {
      const response = path.endsWith('/')
        ? await this.#listingAt(location, request, path)
        : await this.#redirectAt(location, request, path);
      if (response !== null) return response;
    }
    const id = this.#locations.indexOf(location);
    const fixed = await this.#findFile(request, method, `\0${id}`, location.fixedCandidates());
    if (fixed !== null) return fixed;
    const fallback = location.fallbackCandidates(path ?? request.path);
    const accepted = fallback.length > 0 && typeQuality(requestField(request, 'accept'), 'text/html') > 0;
    return accepted ? this.#findFile(request, method, `\0${id} fallback`, fallback) : null;
  }

  /**
   * A directory with an index or a listing redirects to the path with a slash, because relative links are resolved from
   * there.
   */
  async #redirectAt(location: FileLocation, { query }: Request, path: string): Promise<Response | null> {
    const target = `${path}/`;
    const hasIndex = (await this.#files.load(target, this.#candidates(target))) !== null;
    const servesDirectory =
      hasIndex || (location.mount.listing === true && (await this.#hasDirectory(location, target)));
    if (!servesDirectory) return null;
    const redirectTarget = encodePath(target).replace(/^\/{2,}/, '/') + (query === '' ? '' : `?${query}`);
    return Response.text(301, 'Moved Permanently\n', ['Location', redirectTarget, 'Cache-Control', 'no-cache']);
  }

  async #listingAt(location: FileLocation, request: Request, path: string): Promise<Response | null> {
    if (location.mount.listing !== true) return null;
    for (const { root, path: directory } of location.directories(path)) {
      const listed = await this.#files.readDirectory(root, directory);
      if (listed === null) continue;
      return listingResponse(path, listed, requestField(request, 'accept'), location.mount.headers ?? []);
    }
    return null;
  }

  async #hasDirectory(location: FileLocation, path: string): Promise<boolean> {
    for (const { root, path: directory } of location.directories(path))
      if (await this.#files.isDirectory(root, directory)) return true;
    return false;
  }
}
