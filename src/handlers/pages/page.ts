import { reasonPhrase } from '../../http/semantics/status.ts';
import { contentType } from '../../static/content-type.ts';
import { RereadFile } from './reread-file.ts';

/** A page that people write for the server: in a file, which may change while the server runs, or as HTML. */
export type PageSource = { readonly file: string } | { readonly html: string };

/** What is sent of a page. */
export interface RenderedPage {
  readonly contentType: string;
  readonly content: Buffer;
}

/** A page with places for `{status}` and `{reason}`, such as 404 and Not Found. */
export class Page {
  readonly #contentType: string;
  readonly #html: Buffer | null;
  readonly #file: RereadFile | null;

  /** A file is looked at again when `checkMs` have passed since the last time. */
  constructor(source: PageSource, checkMs: number) {
    const isFile = 'file' in source;
    this.#contentType = contentType(isFile ? source.file : 'page.html');
    this.#html = isFile ? null : Buffer.from(source.html);
    this.#file = isFile ? new RereadFile(source.file, checkMs) : null;
  }

  /** Null when its file cannot be read. */
  async render(status: number): Promise<RenderedPage | null> {
    const content = this.#html ?? (await this.#file?.read()) ?? null;
    return content === null ? null : { contentType: this.#contentType, content: fill(content, status) };
  }
}

/** Of all else in the content no byte changes, whatever its charset. */
function fill(content: Buffer, status: number): Buffer {
  const text = content.toString('latin1');
  const filled = text.replaceAll('{status}', `${status}`).replaceAll('{reason}', reasonPhrase(status));
  return filled === text ? content : Buffer.from(filled, 'latin1');
}
