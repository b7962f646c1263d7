import { BlockPool } from '../buffering/block-pool.ts';

/** Memory for reading files that are sent: 32 MiB in large blocks. */
export const FileBlocks = new BlockPool({
  largeBytes: 512 * 1024,
  smallBytes: 16 * 1024,
  largeMax: 64,
  spareMax: 8,
});
