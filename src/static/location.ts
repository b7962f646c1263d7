import { join } from 'node:path';
import { type Candidate, PlainCandidate } from './candidate.ts';
import { fallsThrough, type StaticMount } from './mount.ts';
import { isVisible, isVisibleName } from './path.ts';
import { Presenter, REVALIDATE } from './presentation.ts';

const PATH = '{path}';

/** A mount prepared for lookups: the possible files of a path. Paths are decoded. */
export class FileLocation {
  readonly mount: StaticMount;
  readonly fallsThrough: boolean;
  readonly #presenter: Presenter;
  readonly #fallbackPresenter: Presenter;
  readonly #templates: readonly string[];
  /** Files to try for every path. */
  readonly #fixedNames: readonly string[];
  readonly #index: readonly string[];

  constructor(mount: StaticMount) {
    this.mount = mount;
    this.fallsThrough = fallsThrough(mount);
    this.#presenter = new Presenter(mount);
    this.#fallbackPresenter = new Presenter({ ...mount, headers: fallbackHeaders(mount) }, REVALIDATE);
    const templates = (mount.tryFiles ?? [PATH]).map(withoutSlash).filter((template) => !isDirectoryTemplate(template));
    this.#templates = templates.filter((template) => template.includes(PATH));
    this.#fixedNames = templates.filter((template) => !template.includes(PATH));
    this.#index = mount.index ?? [];
  }

  /** Whether a request for a directory may have a response. */
  get servesDirectories(): boolean {
    return this.#index.length > 0 || this.mount.listing === true;
  }

  /** Whether the mount has more to offer than the candidates of a path. */
  get hasFurtherAnswers(): boolean {
    return this.servesDirectories || this.#fixedNames.length > 0 || this.mount.fallback !== undefined;
  }

  /** Whether `path` is that of the mount without its final slash, and may lead to it. */
  isRoot(path: string): boolean {
    return this.servesDirectories && path.length > 0 && `${path}/` === this.mount.urlPrefix;
  }

  covers(path: string): boolean {
    return path.startsWith(this.mount.urlPrefix);
  }

  /** The possible files of `path`, in order. */
  candidates(path: string): Candidate[] {
    const below = this.#below(path);
    if (below === null) return [];
    const names = this.#templates.map((template) => expand(template, below));
    const directory = directoryName(below);
    if (directory !== null) names.push(...this.#index.map((name) => joinNames(directory, name)));
    return this.#files(names.filter(isVisible), this.#presenter);
  }

  /** The possible directories of `path`, which ends with a slash. */
  directories(path: string): { readonly root: string; readonly path: string }[] {
    const below = this.#below(path);
    const directory = below === null ? null : directoryName(below);
    if (directory === null || !(directory === '' || isVisible(directory))) return [];
    return this.mount.directories.map((root) => ({ root, path: join(root, directory) }));
  }

  /** The files to try for every path. */
  fixedCandidates(): Candidate[] {
    return this.#files(this.#fixedNames.filter(isVisible), this.#presenter);
  }

  /** The fallback file, if it applies to `path`. */
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

/** A fallback depends on Accept. It must not be cached, because another file may exist at the path tomorrow. */
function fallbackHeaders({ headers = [] }: StaticMount): string[] {
  const kept = headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== 'cache-control');
  return [...kept, 'Vary', 'Accept'];
}

/** nginx uses `$uri/` for the purpose of `index` here. */
function isDirectoryTemplate(template: string): boolean {
  return template.endsWith('/');
}

/** A path with a final slash names a directory, which is not a file itself but may contain files. */
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
