import { join } from 'node:path';
import { type Candidate, PlainCandidate } from './candidate.ts';
import { fallsThrough, type StaticMount } from './mount.ts';
import { isVisible, isVisibleName } from './path.ts';
import { ASK_AGAIN, Presenter } from './presentation.ts';

const PATH = '{path}';

/** A mount that is ready to be asked where a path's file may be. Paths are decoded. */
export class Place {
  readonly mount: StaticMount;
  readonly fallsThrough: boolean;
  readonly #presenter: Presenter;
  readonly #fallbackPresenter: Presenter;
  readonly #templates: readonly string[];
  /** Files that are tried whatever the path is. */
  readonly #always: readonly string[];
  readonly #index: readonly string[];

  constructor(mount: StaticMount) {
    this.mount = mount;
    this.fallsThrough = fallsThrough(mount);
    this.#presenter = new Presenter(mount);
    this.#fallbackPresenter = new Presenter({ ...mount, headers: fallbackHeaders(mount) }, ASK_AGAIN);
    const tried = (mount.tryFiles ?? [PATH]).map(withoutSlash).filter((template) => !isDirectoryTemplate(template));
    this.#templates = tried.filter((template) => template.includes(PATH));
    this.#always = tried.filter((template) => !template.includes(PATH));
    this.#index = mount.index ?? [];
  }

  /** Whether a directory is answered with something. */
  get servesDirectories(): boolean {
    return this.#index.length > 0 || this.mount.listing === true;
  }

  /** Whether there is more to try than the candidates of a path. */
  get hasMore(): boolean {
    return this.servesDirectories || this.#always.length > 0 || this.mount.fallback !== undefined;
  }

  covers(path: string): boolean {
    return path.startsWith(this.mount.urlPrefix);
  }

  /** Where the file of `path` may be, in order. */
  candidates(path: string): Candidate[] {
    const below = this.#below(path);
    if (below === null) return [];
    const names = this.#templates.map((template) => expand(template, below));
    const directory = directoryName(below);
    if (directory !== null) names.push(...this.#index.map((name) => joinNames(directory, name)));
    return this.#files(names.filter(isVisible), this.#presenter);
  }

  /** The directories that `path`, with a final slash, may be. */
  directories(path: string): { readonly root: string; readonly path: string }[] {
    const below = this.#below(path);
    const directory = below === null ? null : directoryName(below);
    if (directory === null || !(directory === '' || isVisible(directory))) return [];
    return this.mount.directories.map((root) => ({ root, path: join(root, directory) }));
  }

  /** The files that are tried whatever the path is. */
  lastCandidates(): Candidate[] {
    return this.#files(this.#always.filter(isVisible), this.#presenter);
  }

  /** The file that stands for all that has none, if it may stand for `path`. */
  fallbackCandidates(path: string): Candidate[] {
    const { fallback, fallbackFor = 'pages' } = this.mount;
    if (fallback === undefined) return [];
    const segments = path.split('/');
    if (fallbackFor === 'pages' && segments.at(-1)?.includes('.') === true) return [];
    if (segments.some((segment) => segment !== '' && !isVisibleName(segment))) return [];
    return this.#files([withoutSlash(fallback)], this.#fallbackPresenter);
  }

  #below(path: string): string | null {
    return this.covers(path) ? path.slice(this.mount.urlPrefix.length) : null;
  }

  #files(names: readonly string[], presenter: Presenter): Candidate[] {
    return names.flatMap((name) =>
      this.mount.directories.map((root) => new PlainCandidate(root, join(root, name), presenter)),
    );
  }
}

/** Who gets a fallback depends on what he accepts, and a page that may be another one tomorrow is kept by nobody. */
function fallbackHeaders({ headers = [] }: StaticMount): string[] {
  const kept = headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== 'cache-control');
  return [...kept, 'Vary', 'Accept'];
}

/** nginx writes `$uri/` for what `index` does here. */
function isDirectoryTemplate(template: string): boolean {
  return template.endsWith('/');
}

/** A path with a final slash is a directory: it has files below it, but is none. */
function expand(template: string, below: string): string {
  const path = template.includes(`${PATH}/`) ? below.replace(/\/$/, '') : below;
  return template.split(PATH).join(path);
}

function directoryName(below: string): string | null {
  if (below === '') return '';
  return below.endsWith('/') ? below.slice(0, -1) : null;
}

function joinNames(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}
