import type { Allowance } from './budget.ts';

/** What no client needs more of, with room for those that are careless. Requests themselves are not limited. */
export const ALLOWANCES = {
  resets: { burst: 400, perSecond: 40 },
  pings: { burst: 100, perSecond: 10 },
  settings: { burst: 40, perSecond: 2 },
  priorities: { burst: 1000, perSecond: 200 },
  /** One update a block is what careless clients send, hence also one for each 64 bytes that they got. */
  windowUpdates: { burst: 2000, perSecond: 200 },
  /** DATA without content that ends nothing, and frames of unknown kinds. */
  idleFrames: { burst: 200, perSecond: 20 },
} as const satisfies Record<string, Allowance>;
