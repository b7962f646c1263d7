import type { BodySource, ResponseBody } from '../../http/message.ts';
import { InputBody } from '../input-body.ts';
import { inputOf } from '../input-stream.ts';
import { PassedBody } from '../passed-body.ts';

/** Content that comes in blocks. A file is read for it. */
export function sourceOf(body: Exclude<ResponseBody, null | Uint8Array>): BodySource {
  if (!('fd' in body)) return body;
  const passed = new PassedBody(body);
  const source = new InputBody(inputOf(passed));
  let open = true;
  const close = (): void => {
    if (open) passed.close();
    open = false;
  };
  return {
    start: (sink) =>
      source.start({
        write: (block) => sink.write(block),
        end: () => {
          close();
          sink.end();
        },
        fail: (error) => {
          close();
          sink.fail(error);
        },
      }),
    pause: () => source.pause(),
    resume: () => source.resume(),
    cancel: () => {
      source.cancel();
      close();
    },
  };
}
