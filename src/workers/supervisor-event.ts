import type { ViaductError } from '../errors.ts';
import type { ImportFailure } from './messages.ts';
import type { Release } from './release.ts';
import type { ReleaseOptions } from './release-options.ts';
import type { StartOutcome } from './release-start.ts';
import type { Replacements } from './replacements.ts';
import type { Recycle } from './serving-workers.ts';
import type { Worker } from './worker.ts';

/** What happens to the releases of an application, and what is asked of their supervisor. */
export type SupervisorEvent =
  | {
      readonly kind: 'start';
      readonly options: ReleaseOptions | null;
      readonly commits: boolean;
      readonly outcome: StartOutcome;
    }
  | { readonly kind: 'try-out' | 'commit' }
  | { readonly kind: 'abandon'; readonly error: ViaductError }
  | { readonly kind: 'loaded' | 'timed-out'; readonly release: Release }
  | { readonly kind: 'broken'; readonly release: number; readonly failure: ImportFailure }
  | { readonly kind: 'zygote-gone'; readonly release: Release; readonly status: string }
  | { readonly kind: 'ready' | 'gone'; readonly worker: Worker }
  | { readonly kind: 'replace'; readonly replacements: Replacements }
  | { readonly kind: 'recycle'; readonly recycle: Recycle }
  | { readonly kind: 'resize'; readonly size: number; readonly reason: string }
  | { readonly kind: 'stop'; readonly stopped: () => void };
