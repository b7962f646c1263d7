import type { BodySource, RequestBody } from '../../src/http/message.ts';

/** Content that is the content of a request. */
export function echo(body: RequestBody): BodySource {
  return {
    start: (sink) =>
      body.start({
        write: (block) => sink.write(Buffer.from(block)),
        end: () => sink.end(),
        fail: (error) => sink.fail(error),
      }),
    pause: () => body.pause(),
    resume: () => body.resume(),
    cancel: () => body.cancel(),
  };
}

/** Content that ends with trailer fields. */
export function withTrailers(content: string, trailers: readonly string[]): BodySource {
  return {
    trailers,
    start(sink) {
      sink.write(Buffer.from(content));
      sink.end();
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}
