import type { Reporter } from '../../gateway/validator/breach.ts';
import type { ResponseBody } from '../contract.ts';
import { describe, isPromise } from '../contract-errors.ts';
import { FileBlocks } from '../file-wrapper.ts';
import { PassedBody } from '../passed-body.ts';
import type { CheckedCall } from './validated-call.ts';
import { CheckedIterator, type Use } from './validated-iterator.ts';

/** Bodies that were given up without what they were owed. */
const forgotten = new FinalizationRegistry<{ use: Use; reporter: Reporter }>(({ use, reporter }) => {
  if (use.closes && !use.closed) reporter.tell('close-not-called', 'a body was given up, and its close not called');
  else if (use.unfinished)
    reporter.tell('return-not-called', 'an iterator was given up before its end, and its return not called');
});

/** Checks what the application returned (PEP 3333), and gives the server something that goes on checking. */
export function checkBody(body: unknown, call: CheckedCall): ResponseBody {
  call.returned();
  try {
    return check(body, call);
  } catch (error) {
    closeQuietly(body);
    throw error;
  }
}

function check(body: unknown, call: CheckedCall): ResponseBody {
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
  if (!(body instanceof PassedBody || body instanceof FileBlocks)) return checkedBody(body, call);
  call.checkStarted();
  return body;
}

/** Its blocks are all there. It stays an array, so that the server still knows its length. */
function checkArray(blocks: ResponseBody & Uint8Array[], closes: boolean, call: CheckedCall): ResponseBody {
  for (const block of blocks) call.checkBlock(block);
  call.checkEnd();
  if (!closes) {
    call.end();
    return blocks;
  }
  const use: Use = { closes, closed: false, begun: false, unfinished: false };
  const checked = Object.assign([...blocks], { close: closer(blocks, use, call) });
  forgotten.register(checked, { use, reporter: call.reporter });
  return checked;
}

/** It is of the same kind as `body`: sync or async, with `close` or without. */
function checkedBody(body: ResponseBody, call: CheckedCall): ResponseBody {
  const use: Use = { closes: typeof body.close === 'function', closed: false, begun: false, unfinished: false };
  const checked: Partial<Record<symbol, () => unknown>> & { close?: () => unknown } = {};
  // Iterators hold what they belong to, so that it is not given up before them.
  const iterate = (method: symbol) => () => {
    if (use.begun) call.reporter.report('iterated-twice', 'a body was iterated a second time');
    use.begun = true;
    const iterator = (body as unknown as Record<symbol, () => Iterator<unknown>>)[method]?.();
    return new CheckedIterator(iterator, method === Symbol.asyncIterator, use, call, checked);
  };
  for (const method of [Symbol.asyncIterator, Symbol.iterator]) if (method in body) checked[method] = iterate(method);
  if (use.closes) checked.close = closer(body, use, call);
  forgotten.register(checked, { use, reporter: call.reporter });
  return checked as unknown as ResponseBody;
}

function closer(body: ResponseBody, use: Use, call: CheckedCall): () => void | Promise<void> {
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

/** Nobody else gets this body. */
function closeQuietly(body: unknown): void {
  try {
    const closing = (body as ResponseBody | null | undefined)?.close?.();
    if (isPromise(closing)) closing.then(undefined, () => {});
  } catch {}
}
