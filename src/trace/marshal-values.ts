import { Malformed, type MarshalValue, readMarshal } from './marshal-reader.ts';

/** The value that bytes within a record are. @throws Malformed */
export function marshalled(bytes: Uint8Array): MarshalValue {
  const value = readMarshal(bytes);
  if (value instanceof Malformed) throw value;
  return value;
}

/** A list of names and values. @throws Malformed */
export function fieldsOf(value: MarshalValue | undefined): (readonly [name: string, value: string])[] {
  return list(value).map((field) => {
    const [name, content] = list(field);
    return [text(name), text(content)] as const;
  });
}

/** @throws Malformed */
export function dict(value: MarshalValue | undefined): ReadonlyMap<string, MarshalValue> {
  if (value instanceof Map) return value;
  throw new Malformed('it has no dict where one belongs');
}

/** @throws Malformed */
export function list(value: MarshalValue | undefined, max = Number.POSITIVE_INFINITY): readonly MarshalValue[] {
  if (Array.isArray(value)) {
    if (value.length > max) throw new Malformed('it has a list that is too long');
    return value;
  }
  throw new Malformed('it has no list where one belongs');
}

/** @throws Malformed */
export function text(value: MarshalValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new Malformed('it has no text where one belongs');
}

/** @throws Malformed */
export function number(value: MarshalValue | undefined): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Malformed('it has no number where one belongs');
}
