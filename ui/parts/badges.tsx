import type { TraceDocument } from '../../src/trace/document.ts';

/** The status of a response; a dash while there is none. */
export function Status({ status }: { readonly status: number }) {
  const tone = status === 0 ? 'none' : status >= 500 ? 'bad' : status >= 400 ? 'warn' : status >= 300 ? 'info' : 'good';
  return <span class={`badge tone-${tone}`}>{status === 0 ? 'none' : status}</span>;
}

export function Method({ method }: { readonly method: string }) {
  return <span class="method">{method}</span>;
}

const KEPT: Readonly<Record<TraceDocument['kept'], string>> = {
  sampled: 'chosen by chance (sample)',
  asked: 'somebody asked for it',
  failed: 'it failed',
  slow: "it was slower than its route's p99",
  development: 'development keeps every request',
};

export const whyKept = (kept: TraceDocument['kept']): string => KEPT[kept];
