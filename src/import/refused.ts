import { ViaductError } from '../errors.ts';
import { type Place, placeName } from './import-report.ts';

/** A configuration that cannot be read at this place. */
export function refused(place: Place, state: string, advice = ''): ViaductError {
  return new ViaductError('SETTINGS', `Cannot read ${placeName(place)}: ${state}`, { advice });
}
