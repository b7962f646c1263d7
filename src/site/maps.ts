import { mapValues } from '../handlers/options.ts';
import { placeholders } from '../placeholders/maps.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import type { Site } from './schema/site.ts';

/**
 * The placeholders with the maps of a configuration.
 *
 * @throws ViaductError `SETTINGS` as `placeholders` does
 */
export function placeholdersOf(maps: Site['map']): Placeholders {
  return placeholders(mapValues(maps, ({ pattern, ...map }) => ({ ...map, patterns: pattern })));
}
