import type { ResponseBody } from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import { FileBlocks } from '../file-wrapper.ts';
import { PassedBody } from '../passed-body.ts';
import type { ValidatedCall } from './validated-call.ts';
import { type Use, ValidatedIterator } from './validated-iterator.ts';
import type { Reporter } from './violation.ts';

/** Reports bodies that the server has dropped without calling `close` or `return`. */
const forgotten = new FinalizationRegistry<{ use: Use; reporter: Reporter }>(({ use, reporter }) => {
  if (use.closes && !use.closed)
    reporter.reportLate('close-not-called', 'a body was dropped, and its close not called');
  else if (use.unfinished)
    reporter.reportLate('return-not-called', 'an iterator was dropped before its end, and its return not called');
});

/** Checks the body that the application returned (PEP 3333). Returns a body that checks its blocks, iterators and `close`. */
export function validateBody(body: unknown, call: ValidatedCall): ResponseBody {
  call.returned();
  try {
    return check(body, call);
  } catch (error) {
    closeQuietly(body);
    throw error;
  }
}

function check(body: unknown, call: ValidatedCall): ResponseBody {
  const { reporter } = call;
  if (typeof body === 'string' || body instanceof Uint8Array) {
    reporter.report('body-is-bytes', `the body is ${describe(body)}, and not an iterable of blocks`);
    return body as unknown as ResponseBody;
  }
  if (!isIterable(body)) {
    reporter.report('body-not-iterable', `the application returned ${describe(body)}, and not an iterable of blocks`);
    return body as ResponseBody;
  }
  const close: unknown = body.close ?? null;
  if (close !== null && typeof close !== 'function')
    reporter.report('close-not-callable', `close of the body is ${describe(close)}, and not a function`);
  if (Array.isArray(body)) return checkArray(body, typeof close === 'function', call);
  if (!(body instanceof PassedBody || body instanceof FileBlocks)) return validatedBody(body, call);
  call.checkStarted();
  return body;
}

/** Checks all blocks at once. The result is an array too, so that the server knows its length. */
function checkArray(blocks: ResponseBody & Uint8Array[], closes: boolean, call: ValidatedCall): ResponseBody {
  for (const block of blocks) call.checkBlock(block);
  call.checkEnd();
  if (!closes) {
    call.end();
    return blocks;
  }
  const use: Use = { closes, closed: false, iterated: false, unfinished: false };
  const validated = Object.assign([...blocks], { close: closer(blocks, use, call) });
  forgotten.register(validated, { use, reporter: call.reporter });
  return validated;
}

/** A body of the same kind as `body`: sync or async, with or without `close`. */
function validatedBody(body: ResponseBody, call: ValidatedCall): ResponseBody {
  const use: Use = { closes: typeof body.close === 'function', closed: false, iterated: false, unfinished: false };
  const validated: Partial<Record<symbol, () => unknown>> & { close?: () => unknown } = {};
  // An iterator holds its body, so that the body is not collected before it.
  const iterate = (method: symbol) => () => {
    if (use.iterated) call.reporter.report('iterated-twice', 'a body was iterated a second time');
    use.iterated = true;
    const iterator = (body as unknown as Record<symbol, () => Iterator<unknown>>)[method]?.();
    return new ValidatedIterator(iterator, method === Symbol.asyncIterator, use, call, validated);
  };
  for (const method of [Symbol.asyncIterator, Symbol.iterator]) if (method in body) validated[method] = iterate(method);
  if (use.closes) validated.close = closer(body, use, call);
  forgotten.register(validated, { use, reporter: call.reporter });
  return validated as unknown as ResponseBody;
}

function closer(body: ResponseBody, use: Use, call: ValidatedCall): () => void | Promise<void> {
  return () => {
    if (use.closed) call.reporter.report('close-twice', 'close of a body was called a second time');
    use.closed = true;
    const { unfinished } = use;
    use.unfinished = false;
    call.end();
    const closing = body.close?.();
    if (unfinished)
      call.reporter.report(
        'return-not-called',
        'a body was closed before its end, and return of its iterator not called',
      );
    return closing;
  };
}

function isIterable(body: unknown): body is ResponseBody {
  return typeof body === 'object' && body !== null && (Symbol.iterator in body || Symbol.asyncIterator in body);
}

/** Closes a body that the server does not get. */
function closeQuietly(body: unknown): void {
  try {
    const closing = (body as ResponseBody | null | undefined)?.close?.();
    if (isPromise(closing)) closing.then(undefined, () => {});
  } catch {}
}
