import { ViaductError } from '../errors.ts';
import { formatLocation, type SourceLocation } from './import-report.ts';

/** The error for a configuration that cannot be read at this line. */
export function refused(place: SourceLocation, state: string, advice = ''): ViaductError {
  return new ViaductError('SETTINGS', `Cannot read ${formatLocation(place)}: ${state}`, { advice });
}
