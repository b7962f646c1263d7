import type { BigIntStats } from 'node:fs';
import type { Coding } from './mount.ts';
import { encodedPath, type Presentation, type Presenter } from './presentation.ts';
import type { StaticFile } from './static-file.ts';

/** A possible path of a file. `path` is in `root`, unless a link leads out of it. */
export interface Candidate {
  readonly root: string;
  readonly path: string;
  /** The source of the presentation. A file with another source must be presented again. */
  readonly basis: object;
  /** Codings for which an encoded file exists beside this file. */
  encodings(status: BigIntStats): Promise<readonly Coding[]> | readonly Coding[];
  present(content: Buffer | null, encodings: readonly Coding[]): Promise<Presentation> | Presentation;
}

/** An unencoded file. */
export class PlainCandidate implements Candidate {
  readonly root: string;
  readonly path: string;
  readonly basis: Presenter;

  constructor(root: string, path: string, presenter: Presenter) {
    this.root = root;
    this.path = path;
    this.basis = presenter;
  }

  encodings(status: BigIntStats): Promise<readonly Coding[]> | readonly Coding[] {
    return this.basis.encodingsOf(this.path, status);
  }

  present(content: Buffer | null, encodings: readonly Coding[]): Promise<Presentation> {
    return this.basis.present(this.root, this.path, content, encodings.length > 0);
  }
}

/** The encoded variant of `original`. Only its bytes and its version differ from the original. */
export class EncodedCandidate implements Candidate {
  readonly root: string;
  readonly path: string;
  readonly basis: Presentation;
  readonly #coding: Coding;

  constructor(original: StaticFile, coding: Coding) {
    this.root = original.root;
    this.path = encodedPath(original.path, coding);
    this.basis = original.presentation;
    this.#coding = coding;
  }

  encodings(): readonly Coding[] {
    return [];
  }

  present(): Presentation {
    return { ...this.basis, encoding: this.#coding };
  }
}
