/** A rule of the simulation is broken. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

export function fail(message: string): never {
  throw new SimulationFailure(message);
}

/** Fails with `message` unless `condition` holds. */
export function must(condition: boolean, message: () => string): void {
  if (!condition) fail(message());
}
