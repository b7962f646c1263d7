import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Files in which build tools list their output: Django, Vite (before and since version 5), webpack, Create React App.
 */
const MANIFESTS = ['staticfiles.json', 'manifest.json', '.vite/manifest.json', 'asset-manifest.json'];
const MANIFEST_BYTES_MAX = 8 * 1024 * 1024;

/**
 * A hash before the extensions: 8 characters of base64url (Vite, esbuild, webpack) or hexadecimal digits (webpack,
 * Django).
 */
const HASH = /[.-]([A-Za-z0-9_-]{8}|[0-9a-f]{8,64})(?:\.[A-Za-z0-9]+)+$/;
/** Names of the same shape that are not hashes: a word, words in camel case, a number, a date. */
const WORDS = /^[A-Z]?[a-z]*(?:[A-Z][a-z]+)*[\d_-]*$/;

/** Whether a name seems to contain a hash of the file's content. */
export function looksHashed(path: string): boolean {
  const hash = HASH.exec(basename(path))?.[1];
  return hash !== undefined && !WORDS.test(hash);
}

/**
 * Whether the name contains the hash of the content in the form of Django's ManifestStaticFilesStorage. Such a file
 * never changes.
 */
export function isNamedAfter(content: Buffer, path: string): boolean {
  const hash = /\.([0-9a-f]{12})(?:\.[^./]*)?$/.exec(path)?.[1];
  if (hash === undefined) return false;
  try {
    return createHash('md5').update(content).digest('hex').startsWith(hash);
  } catch {
    return false; // a system under FIPS 140 rules has no MD5
  }
}

/**
 * Whether a manifest lists a file with this hashed name. Manifests are in the mounted directory, or above it when only
 * the directory of the assets is mounted. Name and hash are sufficient: two files that share them have the same
 * content.
 */
export async function isInManifest(root: string, path: string): Promise<boolean> {
  const name = basename(path);
  for (const directory of [root, dirname(root)]) {
    for (const manifest of MANIFESTS) if ((await namesIn(join(directory, manifest))).has(name)) return true;
  }
  return false;
}

interface Manifest {
  readonly version: string;
  readonly names: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();
const manifests = new Map<string, Manifest>();

async function namesIn(path: string): Promise<ReadonlySet<string>> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    if (size > MANIFEST_BYTES_MAX) return NONE;
    const version = `${mtimeMs} ${size} ${ino}`;
    const known = manifests.get(path);
    if (known?.version === version) return known.names;
    const names = new Set<string>();
    collectHashedNames(JSON.parse(await readFile(path, 'utf8')), names);
    manifests.set(path, { version, names });
    return names;
  } catch {
    return NONE;
  }
}

/** The tools have different formats, but all of them name the files in strings. */
function collectHashedNames(value: unknown, names: Set<string>): void {
  if (typeof value === 'string') {
    if (looksHashed(value)) names.add(basename(value));
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectHashedNames(inner, names);
  }
}
