import { ViaductError } from '../../errors.ts';
import type { Configuration } from '../../site/configuration.ts';
import { processConfiguration } from './process-configuration.ts';
import type { ServerProcess } from './server-process.ts';

/** A server process to reload. */
export interface ReloadSlot {
  /** From 0. */
  readonly index: number;
  /** Null after the process has ended, until another one takes its place. */
  serverProcess: Pick<ServerProcess, 'started' | 'reload' | 'proceed' | 'abandonReload'> | null;
  /** What the process serves. */
  configuration: Configuration;
}

/**
 * Reloads server processes so that all of them serve `configuration`, or none. They import their releases one after the other, so that a broken one
 * is found once. Then they send requests to them at the same time. When all have proved themselves, the old releases end. As soon as one serves
 * `configuration`, there is no way back: a process that fails only then keeps its old one, which its slot says.
 *
 * @throws ViaductError of the first process that failed; then the others have gone back
 */
export async function reloadTogether(slots: readonly ReloadSlot[], configuration: Configuration): Promise<void> {
  const seed = Date.now() >>> 0;
  const reloading = slots.flatMap((slot) =>
    slot.serverProcess === null ? [] : [{ slot, process: slot.serverProcess }],
  );
  try {
    for (const { slot, process } of reloading) {
      await process.started.catch(() => {});
      await process.reload(processConfiguration(configuration, slot.index), seed).catch(inProcess(slot));
    }
    await Promise.all(reloading.map(({ slot, process }) => process.proceed().catch(inProcess(slot))));
    const ends = await Promise.allSettled(
      reloading.map(({ slot, process }) => process.proceed().catch(inProcess(slot))),
    );
    const serving = reloading.filter(
      ({ slot, process }, index) => ends[index]?.status === 'fulfilled' && slot.serverProcess === process,
    );
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined && serving.length === 0) throw failure.reason;
    for (const { slot } of serving) slot.configuration = configuration;
  } catch (error) {
    await Promise.all(reloading.map(({ process }) => process.abandonReload()));
    throw error;
  }
}

/** Lets an error say in which process it happened, unless it is the first one, which finds what is wrong with all of them. */
function inProcess({ index }: ReloadSlot): (error: Error) => never {
  return (error) => {
    if (index === 0) throw error;
    const { message, cause } = error;
    const advice = error instanceof ViaductError ? error.advice : '';
    throw new ViaductError('WORKER', `${message} (in server process ${index + 1})`, { advice, cause });
  };
}
