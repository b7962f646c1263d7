import { ViaductError } from '../errors.ts';
import type { ResponseBody } from './contract.ts';

/** @throws ViaductError `CONTRACT` if `block` is not a Uint8Array */
export function checkBlock(block: unknown): asserts block is Uint8Array {
  if (!(block instanceof Uint8Array)) throw contractError(`a block must be a Uint8Array, not ${describe(block)}`);
}

/** Whether `body` is an iterable of blocks. A Uint8Array can be iterated too, but not as blocks. */
export function isBody(body: unknown): body is ResponseBody {
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) return false;
  return Symbol.iterator in body || Symbol.asyncIterator in body;
}

/** What kind of value it is, for messages about a wrong value: `a number`, `Promise`, `null`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : `a ${typeof value}`;
}

export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

export function contractError(state: string): ViaductError {
  return new ViaductError('CONTRACT', `Cannot use a response: ${state}`);
}
