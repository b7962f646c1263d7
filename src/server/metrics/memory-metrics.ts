import { contentMemory } from '../../http/buffering/content-memory.ts';
import { spooled } from '../../http/buffering/spool-counts.ts';
import type { Family } from '../../metrics/family.ts';
import { cachedFileBytes } from '../../static/file-cache.ts';
import { counter, gauge } from './gauges.ts';

/** Content and files in memory, and what went to temporary files. */
export function memoryFamilies(): Family[] {
  const unit = 'bytes';
  return [
    gauge(
      {
        name: 'viaduct_content_memory_bytes',
        help: 'Content in memory that waits for a client, a worker or a backend.',
        unit,
      },
      [[{}, contentMemory.held]],
    ),
    gauge(
      {
        name: 'viaduct_content_memory_limit_bytes',
        help: 'How much content may be in memory: content_memory_bytes_max.',
        unit,
      },
      [[{}, contentMemory.bytesMax]],
    ),
    gauge({ name: 'viaduct_static_cache_bytes', help: 'Static files in memory.', unit }, [[{}, cachedFileBytes()]]),
    counter({ name: 'viaduct_spool_files', help: 'Temporary files for content that was too long for the memory.' }, [
      [{}, spooled.files],
    ]),
    counter({ name: 'viaduct_spool_bytes', help: 'Content that was written to temporary files.', unit: 'bytes' }, [
      [{}, spooled.bytes],
    ]),
  ];
}
