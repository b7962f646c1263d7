import { ViaductError } from '../../errors.ts';
import type { LimitPer } from './limit-key.ts';
import { RunningRequests } from './running-requests.ts';
import { TokenBuckets, type TokenBucketsOptions } from './token-buckets.ts';

/** What the limits of a site count. Those with the same zone count together; a limit without a zone counts alone. */
export class LimitZones {
  readonly #buckets = new Map<string, Zone<TokenBuckets>>();
  readonly #running = new Map<string, Zone<RunningRequests>>();

  /** @throws ViaductError `SETTINGS` if the zone has another rate, or distinguishes clients otherwise */
  buckets(name: string | undefined, per: LimitPer, options: TokenBucketsOptions): TokenBuckets {
    const create = (): TokenBuckets => new TokenBuckets(options);
    return name === undefined ? create() : shared(this.#buckets, name, [per, options.ratePerSecond], create);
  }

  /** @throws ViaductError `SETTINGS` if the zone distinguishes clients otherwise */
  running(name: string | undefined, per: LimitPer): RunningRequests {
    const create = (): RunningRequests => new RunningRequests();
    return name === undefined ? create() : shared(this.#running, name, [per], create);
  }
}

interface Zone<T> {
  readonly count: T;
  /** What all limits of the zone have in common. */
  readonly rule: string;
}

function shared<T>(zones: Map<string, Zone<T>>, name: string, common: readonly unknown[], create: () => T): T {
  const rule = JSON.stringify(common);
  const zone = zones.get(name) ?? { count: create(), rule };
  zones.set(name, zone);
  if (zone.rule === rule) return zone.count;
  throw new ViaductError('SETTINGS', `Cannot count in the zone "${name}": another limit counts otherwise in it`, {
    advice: 'Give both limits the same per and rate, or zones of their own.',
  });
}
