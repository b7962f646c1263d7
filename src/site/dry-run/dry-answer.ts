import type { HeaderList, ResponseBody } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { responseFields } from '../../http/response-fields.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import type { SentRequest } from '../../proxy/recording-client.ts';
import { AUTHORIZATION } from './detached-site.ts';
import type { DiskImage } from './disk-image.ts';

/** What became of a request. */
export interface DryAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** The content as text; '' for a file, and for what a backend would answer. */
  readonly content: string;
  /** The file or the listed directory in the content, with its path in the configuration. */
  readonly file: { readonly path: string; readonly listing: boolean } | null;
  /** What a backend got, and the names of all backends of the route, without backups where there are others. */
  readonly sent: (SentRequest & { readonly backends: readonly string[] }) | null;
  /** The name of the route that answered; '' for none. */
  readonly route: string;
  /** Whether each site refuses such a request, whatever its routes are. */
  readonly isRefused: boolean;
}

/** Reads the content of `response`, which it ends. */
export function readAnswer(
  response: Response,
  sent: DryAnswer['sent'],
  disk: DiskImage,
): Omit<DryAnswer, 'route' | 'isRefused'> {
  const text = textOf(response.body);
  discardBody(response.body);
  const file = disk.shownIn(text);
  const content = file === null ? text : '';
  const passed = sent === null ? null : { ...sent, fields: withoutPassword(sent.fields) };
  return { status: response.status, headers: responseFields(response), content, file, sent: passed };
}

/** Files of a disk image are in memory, and nothing else answers with a stream. */
function textOf(body: ResponseBody): string {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8') : '';
}

/** The password is one of the dry run, so the client of the question did not send it. */
function withoutPassword(fields: HeaderList): string[] {
  return fields.filter((_, i) => fields[i - (i % 2) + 1] !== AUTHORIZATION);
}
