import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { ViaductError } from '../../errors.ts';

/** The content codings that Viaduct supports, by their registered names (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export type Coding = 'zstd' | 'br' | 'gzip';

/** A stream that compresses in zlib's threads. After a flush, everything that was written so far comes out, decodable. */
export type Compressor = zlib.Gzip | zlib.BrotliCompress;

export interface Codec {
  /** Blocks the event loop, so it is for small contents. */
  compressNow(content: Uint8Array): Buffer;
  /** Uses one of zlib's threads. `content` must not change until the promise resolves. */
  compressLater(content: Uint8Array): Promise<Buffer>;
  createCompressor(): Compressor;
  /** What a compressor costs while it is open, by measurement: its window, its tables and the blocks in it. */
  readonly memoryBytes: number;
  /** The argument for a compressor's `flush` after which the client can decode all that was written. */
  readonly flushKind: number;
}

/** Functions that only newer versions of Node have. */
interface Zstd {
  readonly zstdCompress?: (
    content: Uint8Array,
    options: ZstdOptions,
    done: (error: Error | null, compressed: Buffer) => void,
  ) => void;
  readonly zstdCompressSync?: (content: Uint8Array, options: ZstdOptions) => Buffer;
  readonly createZstdCompress?: (options: ZstdOptions) => Compressor;
}

interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly pledgedSrcSize?: number;
}

const zstd: Zstd = zlib as typeof zlib & Zstd;
const ZSTD_FLUSH = 1;
const ZSTD_COMPRESSION_LEVEL = 100;
const ZSTD_WINDOW_LOG = 101;

/** Levels that cost about the same time. At much higher levels, the processor time costs more than the network saves. */
export const LEVELS: Readonly<Record<Coding, number>> = { zstd: 3, br: 4, gzip: 6 };

/** The available codings, the best first. Some versions of Node have no zstd. */
export const CODINGS: readonly Coding[] = isAvailable('zstd') ? ['zstd', 'br', 'gzip'] : ['br', 'gzip'];

/** Whether this version of Node has `coding`: zstd exists since 22.15 and 23.8. */
export function isAvailable(coding: Coding): boolean {
  return coding !== 'zstd' || zstd.createZstdCompress !== undefined;
}

const LEVEL_RANGES: Readonly<Record<Coding, readonly [min: number, max: number]>> = {
  zstd: [1, 19],
  br: [0, 11],
  gzip: [1, 9],
};

/**
 * The codec of `coding`, which must be available, at `level`.
 *
 * @throws ViaductError `SETTINGS` for a level that the coding does not have
 */
export function codecOf(coding: Coding, level: number = LEVELS[coding]): Codec {
  const [min, max] = LEVEL_RANGES[coding];
  if (!Number.isInteger(level) || level < min || level > max) {
    throw new ViaductError(
      'SETTINGS',
      `Cannot compress with ${coding} at level "${level}": its levels are ${min} to ${max}`,
    );
  }
  if (coding === 'gzip') return gzipCodec(level);
  return coding === 'br' ? brotliCodec(level) : zstdCodec(level);
}

/** A window of 256 KiB. A larger window takes megabytes for each running response, and hardly makes pages smaller. */
const WINDOW_LOG = 18;

const MIB = 1024 * 1024;
/** What a compressor of brotli takes at levels 0 to 11. Level 9 takes more than level 11, which searches in another way. */
const BROTLI_MIB = [0.75, 0.75, 0.75, 0.75, 1, 1.5, 2.5, 8.5, 17, 33, 4.5, 4.5];
/** From this level on, zstd searches with trees. */
const ZSTD_LEVEL_OF_TREES = 13;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const brotliCompress = promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);

function gzipCodec(level: number): Codec {
  const { Z_SYNC_FLUSH } = zlib.constants;
  return {
    compressNow: (content) => zlib.gzipSync(content, { level }),
    compressLater: (content) => gzip(content, { level }),
    createCompressor: () => zlib.createGzip({ level }),
    memoryBytes: 0.5 * MIB,
    flushKind: Z_SYNC_FLUSH,
  };
}

function brotliCodec(level: number): Codec {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT, BROTLI_OPERATION_FLUSH } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_LGWIN]: WINDOW_LOG };
  const optionsFor = ({ length }: Uint8Array) => ({ params: { ...params, [BROTLI_PARAM_SIZE_HINT]: length } });
  return {
    compressNow: (content) => zlib.brotliCompressSync(content, optionsFor(content)),
    compressLater: (content) => brotliCompress(content, optionsFor(content)),
    createCompressor: () => zlib.createBrotliCompress({ params }),
    memoryBytes: (BROTLI_MIB[level] as number) * MIB,
    flushKind: BROTLI_OPERATION_FLUSH,
  };
}

function zstdCodec(level: number): Codec {
  const { zstdCompress, zstdCompressSync, createZstdCompress } = zstd as Required<Zstd>;
  const params = { [ZSTD_COMPRESSION_LEVEL]: level, [ZSTD_WINDOW_LOG]: WINDOW_LOG };
  const optionsFor = ({ length }: Uint8Array) => ({ params, pledgedSrcSize: length });
  return {
    compressNow: (content) => zstdCompressSync(content, optionsFor(content)),
    compressLater: (content) => promisify(zstdCompress)(content, optionsFor(content)),
    createCompressor: () => createZstdCompress({ params }),
    memoryBytes: (level < ZSTD_LEVEL_OF_TREES ? 1.25 : 12) * MIB,
    flushKind: ZSTD_FLUSH,
  };
}
