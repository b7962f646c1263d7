import { contentMemory } from '../../http/buffering/content-memory.ts';
import { requestField } from '../../http/derived-request.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { PreparedResponse } from '../../http/prepared-response.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { chooseEncoding } from '../../http/semantics/accept-encoding.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { PartsBody } from '../../static/parts-body.ts';
import { describeFeature } from '../feature.ts';
import { omitUndefined } from '../options.ts';
import { CachedEncodings } from './cached-encodings.ts';
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

/** Options of `compression`. */
export interface CompressionOptions {
  /** Codings in order of preference. Codings that this Node does not have are skipped. By default zstd, br and gzip. */
  readonly encodings?: readonly Coding[];
  /** Shorter contents are not compressed, because they save less than the compression costs. 1024 by default. */
  readonly bytesMin?: number;
  /** Media types to compress: `text/html`, `text/*`, `*+json`. By default types that shrink. */
  readonly types?: readonly string[];
  /** Levels by coding: gzip 1 to 9, br 0 to 11, zstd 1 to 19. By default 6, 4 and 3. */
  readonly levels?: Partial<Readonly<Record<Coding, number>>>;
}

const BYTES_MIN = 1024;
/** Contents up to this size are compressed at once, which takes less time than passing them to a thread. */
const AT_ONCE_BYTES_MAX = 16_384;

/** The handler if no coding is available. */
const passOn: Handler = (request, next) => next(request);

/**
 * Compresses responses for clients that accept it (RFC 9110 sections 8.4 and 12.5.3). Longer contents are compressed in zlib's threads as the client takes them. A
 * block that an application writes reaches the client without the next block. While slow clients hold the memory for content, further
 * responses are sent as they are. Responses with a coding, a digest or `Cache-Control: no-transform`, and parts, are not
 * compressed.
 *
 * @throws ViaductError `SETTINGS` for a level that the coding does not have
 */
export function compression(options: CompressionOptions = {}): Handler {
  const { encodings = CODINGS, bytesMin = BYTES_MIN, types = COMPRESSIBLE_TYPES, levels = {} } = options;
  const offered = encodings.filter(isAvailable);
  if (offered.length === 0) return passOn;
  const codecs = new Map<string | null, [Coding, Codec]>(
    offered.map((coding) => [coding, [coding, codecOf(coding, levels[coding])]]),
  );
  const compressible = new MediaTypes(types);
  const prepared = new CachedEncodings();

  return function compression(request, next) {
    return mapResponse(next(request), (response) => {
      if (response.status === 304) return notModifiedForCoded(response, requestField(request, 'if-none-match'));
      const bytes = contentBytes(response);
      if (typeof bytes === 'number' && (bytes < bytesMin || bytes === 0)) return response;
      if (!isCompressible(response, compressible)) return response;
      const chosen = codecs.get(chooseEncoding(requestField(request, 'accept-encoding'), offered));
      if (response instanceof PreparedResponse) {
        return chosen === undefined ? prepared.identity(response) : prepared.coded(response, ...chosen);
      }
      return chosen === undefined || bytes === null ? withCodingVary(response) : compress(request, response, ...chosen);
    });
  };
}

/** `compression` in a configuration. */
export const compressionFeature = describeFeature({
  key: 'compression',
  scope: 'site',
  description: 'Compresses responses for clients that accept it.',
  page: 'compression.md',
  schema: ({ feature, bytes, listOf, oneOf, text }) =>
    feature({
      encodings: listOf(oneOf(['zstd', 'br', 'gzip']))
        .optional()
        .meta({
          description: 'Codings to offer, in order of preference.',
          defaultText: 'zstd (if Node has it), br and gzip',
        }),
      bytes_min: bytes(0).prefault(BYTES_MIN).describe('Shorter responses are not compressed.'),
      types: listOf(text(/^[\w*.+-]+\/[\w*.+-]+$|^\*\+\w+$/, 'a media type such as text/html, text/* or *+json'))
        .optional()
        .meta({
          description: 'Media types to compress.',
          defaultText: 'types that shrink, such as text, JSON and SVG',
        }),
    }),
  create: ({ encodings, bytes_min, types }) => compression(omitUndefined({ encodings, bytesMin: bytes_min, types })),
});

/** `response` with its content in `coding`, or unchanged if that is not shorter. */
function compress({ method }: Request, response: Response, coding: Coding, codec: Codec): Response {
  const { body, contentLength } = response;
  if (body instanceof Uint8Array && body.length > 0) {
    // The connection reports a body that contradicts its length.
    if (contentLength >= 0 && contentLength !== body.length) return response;
    if (body.length <= AT_ONCE_BYTES_MAX) return compressNow(response, body, coding, codec);
  }
  const changes = { set: codedFields(response, coding), remove: UNCODED_FIELDS };
  if (method === 'HEAD') {
    discardBody(body);
    return changeResponse(response, { ...changes, body: null });
  }
  if (body === null || (body instanceof Uint8Array && body.length === 0)) return response;
  if (!contentMemory.hasRoom(codec.memoryBytes)) return withCodingVary(response);
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
