import type { RequestBody } from '../../http/message.ts';

const BYTES_MAX = 1024;

/** The text of a short content; '' without content, null if it is longer than 1 KiB or breaks off. */
export function readSmallBody(body: RequestBody | null): Promise<string | null> {
  if (body === null) return Promise.resolve('');
  if (body.length > BYTES_MAX) return Promise.resolve(null);
  return new Promise((resolve) => {
    const blocks: Buffer[] = [];
    let bytes = 0;
    body.start({
      write(block) {
        bytes += block.length;
        if (bytes <= BYTES_MAX) {
          blocks.push(Buffer.from(block)); // a block is valid only during the call
          return;
        }
        body.cancel();
        resolve(null);
      },
      end: () => resolve(Buffer.concat(blocks).toString('utf8')),
      fail: () => resolve(null),
    });
  });
}
