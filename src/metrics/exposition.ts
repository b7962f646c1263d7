import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { chooseEncoding } from '../http/semantics/accept-encoding.ts';
import type { Family } from './family.ts';
import { CONTENT_TYPES, chooseFormat } from './negotiation.ts';
import { metricsProtobuf } from './protobuf.ts';
import { metricsBytes } from './text.ts';

const compress = promisify(gzip);
/** A shorter exposition fits into a packet as it is. */
const GZIP_BYTES_MIN = 1400;

/** The response to a scrape: `families` in the form and coding that the client prefers. Compression takes place in another thread. */
export async function exposition(request: Pick<Request, 'headers'>, families: readonly Family[]): Promise<Response> {
  const format = chooseFormat(fieldOf(request, 'accept'));
  const content = format === 'protobuf' ? metricsProtobuf(families) : metricsBytes(families, format);
  const coding = chooseEncoding(fieldOf(request, 'accept-encoding'), ['gzip']);
  const isCoded = coding === 'gzip' && content.length >= GZIP_BYTES_MIN;
  const headers = [
    'Content-Type',
    CONTENT_TYPES[format],
    'Vary',
    'Accept, Accept-Encoding',
    'Cache-Control',
    'no-store',
  ];
  if (!isCoded) return Response.fromHeaders(200, headers, content);
  const coded = await compress(content, { level: constants.Z_BEST_SPEED });
  return Response.fromHeaders(200, [...headers, 'Content-Encoding', 'gzip'], coded);
}

/** The values of all fields `name` (in lower case), joined by commas; null without one. */
function fieldOf({ headers }: Pick<Request, 'headers'>, name: string): string | null {
  const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name);
  return values.length === 0 ? null : values.join(', ');
}
