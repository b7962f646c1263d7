import type { Span, SpanKind } from './document.ts';
import type { TraceRecord } from './trace-record.ts';

/**
 * The spans of a request of which only the stages are known: the wait for a worker with the ways there and back, the time in Python, and the rest.
 * Their start is not known if the request had content, which arrived before; then they start with the request.
 */
export function stageSpans({ startMs, endMs, queueUs, pythonUs }: TraceRecord): Span[] {
  const lastUs = Math.max(0, Math.round((endMs - startMs) * 1000));
  const spans: Span[] = [];
  let atUs = 0;
  const add = (kind: SpanKind, name: string, us: number): void => {
    if (us < 0) return;
    const endUs = Math.min(lastUs, atUs + us);
    spans.push({ parent: -1, kind, name, startUs: atUs, endUs, attributes: {}, file: '', line: 0 });
    atUs = endUs;
  };
  add('queue', 'queue, and the way to the worker and back', queueUs);
  add('python', 'python', pythonUs);
  add('response', 'all the rest', lastUs - atUs);
  return spans;
}
