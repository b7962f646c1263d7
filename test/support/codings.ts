import * as zlib from 'node:zlib';
import { CODINGS, type Coding } from '../../src/handlers/compression/codings.ts';

interface ZstdDecoder {
  readonly zstdDecompressSync?: (content: Uint8Array) => Buffer;
  readonly createZstdDecompress?: () => zlib.Gunzip;
}
const zstd = zlib as typeof zlib & ZstdDecoder;

/** The content codings that this Node can encode and decode. */
export const TESTED_CODINGS: readonly Coding[] = CODINGS;

export function decode(coding: string | null, content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content);
  if (coding === null) return bytes;
  if (coding === 'gzip') return zlib.gunzipSync(bytes);
  if (coding === 'br') return zlib.brotliDecompressSync(bytes);
  if (coding === 'zstd' && zstd.zstdDecompressSync !== undefined) return zstd.zstdDecompressSync(bytes);
  throw new Error(`no decoder for ${coding}`);
}

/** Decodes all that has arrived so far, like a browser that shows a page while it loads. */
export function createDecoder(coding: Coding): zlib.Gunzip | zlib.BrotliDecompress {
  if (coding === 'gzip') return zlib.createGunzip();
  if (coding === 'br') return zlib.createBrotliDecompress();
  return (zstd as Required<ZstdDecoder>).createZstdDecompress();
}
