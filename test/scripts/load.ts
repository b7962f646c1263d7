import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/viaduct.ts';

/** A module of `scripts`, which is plain JavaScript outside of the compiled tree. */
export function loadScript(name: string) {
  return import(pathToFileURL(join(ROOT, 'scripts', name)).href);
}
