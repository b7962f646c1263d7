import { reasonPhrase } from '../../http/semantics/status.ts';
import { contentType } from '../../static/content-type.ts';
import { RereadFile } from './reread-file.ts';

/** The source of a page: a file, which may change while the server runs, or HTML. */
export type PageSource =
  | {
      /** Path of the page. Its extension decides the media type. */
      readonly file: string;
      /** Reads the page; absent for one on the disk. */
      readonly read?: () => Promise<Buffer | null>;
    }
  | {
      /** The page itself, as HTML. */
      readonly html: string;
    };

/** The content of a page for one response. */
export interface RenderedPage {
  readonly contentType: string;
  readonly content: Buffer;
}

/** A page with the placeholders `{status}` and `{reason}`, such as 404 and Not Found. */
export class Page {
  readonly #contentType: string;
  readonly #read: () => Promise<Buffer | null>;

  /** A file is checked for changes when `checkMs` milliseconds have passed since the last check. */
  constructor(source: PageSource, checkMs: number) {
    this.#contentType = contentType('file' in source ? source.file : 'page.html');
    this.#read = readerOf(source, checkMs);
  }

  /** The content for `status`; null if the file cannot be read. */
  async render(status: number): Promise<RenderedPage | null> {
    const content = await this.#read();
    return content === null ? null : { contentType: this.#contentType, content: fill(content, status) };
  }
}

function readerOf(source: PageSource, checkMs: number): () => Promise<Buffer | null> {
  if ('html' in source) {
    const html = Buffer.from(source.html);
    return async () => html;
  }
  if (source.read !== undefined) return source.read;
  const file = new RereadFile(source.file, checkMs);
  return () => file.read();
}

/** Replaces the placeholders. All other bytes stay, whatever the charset is. */
function fill(content: Buffer, status: number): Buffer {
  const text = content.toString('latin1');
  const filled = text.replaceAll('{status}', `${status}`).replaceAll('{reason}', reasonPhrase(status));
  return filled === text ? content : Buffer.from(filled, 'latin1');
}
