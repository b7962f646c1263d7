import { spooled } from '../../http/buffering/spool-counts.ts';
import type { Family } from '../../metrics/family.ts';
import { counter } from './gauges.ts';

/** What went to temporary files. */
export function spoolFamilies(): Family[] {
  return [
    counter({ name: 'viaduct_spool_files', help: 'Temporary files for content that was too long for the memory.' }, [
      [{}, spooled.files],
    ]),
    counter({ name: 'viaduct_spool_bytes', help: 'Content that was written to temporary files.', unit: 'bytes' }, [
      [{}, spooled.bytes],
    ]),
  ];
}
