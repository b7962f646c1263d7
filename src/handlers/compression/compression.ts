import { requestField } from '../../http/derived-request.ts';
import { after, type Handler } from '../../http/handler.ts';
import { discardBody } from '../../http/http1/response-writer.ts';
import type { Request } from '../../http/message.ts';
import { StandingResponse } from '../../http/prepared-response.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { chooseEncoding } from '../../http/semantics/accept-encoding.ts';
import { PartsBody } from '../../static/parts-body.ts';
import { StandingVariants } from './cached-encodings.ts';
import {
  codedFields,
  contentBytes,
  isCompressible,
  notModifiedForCoded,
  UNCODED_FIELDS,
  withCodingVary,
} from './coded-response.ts';
import { CODINGS, type Codec, type Coding, codecOf, isAvailable } from './codings.ts';
import { CompressedBody } from './compressed-body.ts';
import { COMPRESSIBLE_TYPES, MediaTypes } from './media-types.ts';

export interface CompressionOptions {
  /** In order of preference; what this Node cannot make is passed over. All by default: zstd, br, gzip. */
  readonly encodings?: readonly Coding[];
  /** Shorter contents stay as they are: what they save is less than what it costs. 1024 by default. */
  readonly bytesMin?: number;
  /** Media types to compress: `text/html`, `text/*`, `*+json`. What shrinks, by default. */
  readonly types?: readonly string[];
  /** By coding: gzip 1 to 9, br 0 to 11, zstd 1 to 19. By default 6, 4 and 3. */
  readonly levels?: Partial<Readonly<Record<Coding, number>>>;
}

const BYTES_MIN = 1024;
/** Up to this a content is compressed at once, in less time than it takes to hand it to a thread. */
const AT_ONCE_BYTES_MAX = 16_384;

/** Where there is nothing to compress with. */
const passOn: Handler = (request, next) => next(request);

/**
 * Compresses what comes from behind it for clients that accept it (RFC 9110 sections 8.4 and 12.5.3). Longer contents are compressed in
 * zlib's threads as the client takes them; a block that an application writes reaches the client without waiting for the next one.
 * Responses that have a coding, are parts, carry a digest or `Cache-Control: no-transform` stay as they are.
 *
 * @throws ViaductError `SETTINGS` for a level that the coding does not have.
 */
export function compression(options: CompressionOptions = {}): Handler {
  const { encodings = CODINGS, bytesMin = BYTES_MIN, types = COMPRESSIBLE_TYPES, levels = {} } = options;
  const offered = encodings.filter(isAvailable);
  if (offered.length === 0) return passOn;
  const codecs = new Map<string | null, [Coding, Codec]>(
    offered.map((coding) => [coding, [coding, codecOf(coding, levels[coding])]]),
  );
  const compressible = new MediaTypes(types);
  const standing = new StandingVariants();

  return function compression(request, next) {
    return after(next(request), (response) => {
      if (response.status === 304) return notModifiedForCoded(response, requestField(request, 'if-none-match'));
      const bytes = contentBytes(response);
      if (typeof bytes === 'number' && (bytes < bytesMin || bytes === 0)) return response;
      if (!isCompressible(response, compressible)) return response;
      const chosen = codecs.get(chooseEncoding(requestField(request, 'accept-encoding'), offered));
      if (response instanceof StandingResponse) {
        return chosen === undefined ? standing.identity(response) : standing.coded(response, ...chosen);
      }
      return chosen === undefined || bytes === null ? withCodingVary(response) : compress(request, response, ...chosen);
    });
  };
}

/** `response` with its content in `coding`, unless this makes it no shorter. */
function compress({ method }: Request, response: Response, coding: Coding, codec: Codec): Response {
  const { body, contentLength } = response;
  if (body instanceof Uint8Array && body.length > 0) {
    // A body that contradicts its length is the connection's to report.
    if (contentLength >= 0 && contentLength !== body.length) return response;
    if (body.length <= AT_ONCE_BYTES_MAX) return compressNow(response, body, coding, codec);
  }
  const changes = { set: codedFields(response, coding), remove: UNCODED_FIELDS };
  if (method === 'HEAD') {
    discardBody(body);
    return changeResponse(response, { ...changes, body: null });
  }
  if (body === null || (body instanceof Uint8Array && body.length === 0)) return response;
  const isStream = !(body instanceof Uint8Array || 'fd' in body);
  const source = isStream ? body : new PartsBody([body instanceof Uint8Array ? asBuffer(body) : body]);
  return changeResponse(response, {
    ...changes,
    body: new CompressedBody(source, { codec, flushes: isStream, length: contentLength }),
  });
}

function compressNow(response: Response, body: Uint8Array, coding: Coding, codec: Codec): Response {
  const content = codec.compressNow(body);
  if (content.length >= body.length) return withCodingVary(response);
  const set = ['Content-Length', `${content.length}`, ...codedFields(response, coding)];
  return changeResponse(response, { set, remove: UNCODED_FIELDS, body: content });
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
