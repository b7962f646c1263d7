/** The caller of a request, by the field `traceparent` (W3C Trace Context level 1, section 3.2). */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly parentId: string;
  /** Whether the caller records the request. */
  readonly isSampled: boolean;
}

const FIELD = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads `traceparent`. Null if the text is not one: then a new trace starts. Later versions may have more at the end; version `ff` is not valid. */
export function parseTraceParent(text: string): TraceParent | null {
  const [, version, traceId, parentId, flags, more] = FIELD.exec(text) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined || flags === undefined) return null;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The field for a request that is recorded. */
export function formatTraceParent(traceId: string, spanId: string): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The value of `traceparent` for a hop of this trace that adds the field; '' without such a hop. */
export function addedTraceParent({ parentHop, traceId, spanId }: AddedParent): string {
  return parentHop < 0 ? '' : formatTraceParent(traceId, spanId);
}

interface AddedParent {
  readonly parentHop: number;
  readonly traceId: string;
  readonly spanId: string;
}
