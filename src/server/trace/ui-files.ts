import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import type { PageFiles } from '../../trace/export-html.ts';
import { SECURITY_FIELDS } from './page-response.ts';

interface UiFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The built pages, in memory. */
export class UiFiles {
  readonly #assets: ReadonlyMap<string, UiFile>;
  readonly #index: string;
  readonly #pages = new Map<string, UiFile>();

  private constructor(index: string, assets: ReadonlyMap<string, UiFile>) {
    this.#index = index;
    this.#assets = assets;
  }

  /** Reads the files of `directory`; null if the pages are not there, as in a build of the program alone. */
  static async load(directory: string): Promise<UiFiles | null> {
    const index = await readFile(join(directory, 'index.html'), 'utf8').catch(() => null);
    if (index === null) return null;
    const assets = new Map<string, UiFile>();
    for (const name of await readdir(directory)) {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      if (type !== undefined) assets.set(name, fileOf(await readFile(join(directory, name)), type));
    }
    return new UiFiles(index, assets);
  }

  /** The page, which shows all paths of the application. `prefix` is the path before all of its own, without a final slash. */
  page(request: Request, prefix: string): Response {
    let page = this.#pages.get(prefix);
    if (page === undefined) {
      page = fileOf(Buffer.from(withPrefix(this.#index, prefix)), 'text/html; charset=utf-8');
      this.#pages.set(prefix, page);
    }
    return answer(request, page);
  }

  /** Null if there is no such file. */
  asset(request: Request, name: string): Response | null {
    const file = this.#assets.get(name);
    return file === undefined ? null : answer(request, file);
  }

  /** What an exported document is made from. */
  get files(): PageFiles {
    const textOf = (name: string): string => this.#assets.get(name)?.bytes.toString('utf8') ?? '';
    return { index: this.#index, script: textOf('app.js'), style: textOf('app.css') };
  }
}

function fileOf(bytes: Buffer, type: string): UiFile {
  return { bytes, type, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

/** The page is shown at paths of several segments, so its files need absolute paths. */
function withPrefix(index: string, prefix: string): string {
  return index
    .replace(/(<meta name="viaduct-prefix" content=")[^"]*"/, `$1${prefix}"`)
    .replaceAll(/((?:src|href)=")assets\//g, `$1${prefix}/assets/`);
}

function answer({ headers }: Request, { bytes, type, etag }: UiFile): Response {
  const fields = ['Cache-Control', 'no-cache', 'ETag', etag, ...SECURITY_FIELDS];
  const isKnown = headers.some(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'if-none-match' && headers[index + 1]?.includes(etag),
  );
  return isKnown
    ? Response.fromHeaders(304, fields, null)
    : Response.fromHeaders(200, ['Content-Type', type, ...fields], bytes);
}
