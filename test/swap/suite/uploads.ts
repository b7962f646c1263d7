import { Conversation, type SentRequest } from '../conversation.ts';
import { type Case, digest, firstOf, type PlayedCase, same, told } from './case.ts';

const SMALL = Buffer.from('a=1&b=two');
const BIG = Buffer.alloc(3_000_000, 'some content of three million bytes, ');
const FORM = [['Content-Type', 'application/x-www-form-urlencoded']] as const;

const upload = (name: string, tells: string, request: Omit<SentRequest, 'target'>): Case => ({
  name,
  tells,
  requests: [{ method: 'POST', target: '/echo', fields: FORM, ...request }],
  check: ([answer]) => arrived(answer, contentOf(request)),
});

export const UPLOADS: readonly (Case | PlayedCase)[] = [
  upload('upload', 'a form of a few bytes', { content: SMALL }),
  upload('upload, 3 MB', 'three million bytes with their length', { content: BIG }),
  upload('upload in chunks', 'a few bytes in two chunks', { content: [SMALL.subarray(0, 4), SMALL.subarray(4)] }),
  upload('upload in chunks, 3 MB', 'three million bytes in chunks of different sizes', { content: pieces(BIG) }),
  upload('upload of nothing', 'a POST with `Content-Length: 0`', { content: Buffer.alloc(0) }),
  {
    name: 'methods',
    tells: 'PUT, PATCH and DELETE with content',
    requests: ['PUT', 'PATCH', 'DELETE'].map((method) => ({ method, target: '/echo', content: SMALL })),
    check: (answers) =>
      firstOf(
        ...answers.map((answer, at) =>
          firstOf(
            told(answer, ({ method }) => same('the method', method, ['PUT', 'PATCH', 'DELETE'][at] ?? '')),
            arrived(answer, SMALL),
          ),
        ),
      ),
  },
  {
    name: 'continue',
    tells: 'a client with `Expect: 100-continue` is told to continue',
    async play(door) {
      const conversation = await Conversation.open(door);
      try {
        const request = { method: 'POST', target: '/echo', fields: FORM, content: SMALL };
        const continued = await conversation.askToContinue(request);
        const wrong = arrived(await conversation.answer(), SMALL);
        return wrong ?? (continued ? null : 'no 100 Continue comes');
      } finally {
        conversation.close();
      }
    },
  },
];

function arrived(answer: Parameters<typeof told>[0], content: Buffer): string | null {
  return told(answer, (seen) => {
    if (seen.size !== content.length) return `${seen.size} bytes arrive`;
    return firstOf(
      seen.digest === digest(content) ? null : 'other bytes arrive',
      ['', `${content.length}`].includes(seen.length) ? null : `CONTENT_LENGTH is ${seen.length}`,
    );
  });
}

function contentOf({ content = [] }: Omit<SentRequest, 'target'>): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.concat(content);
}

function pieces(content: Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 99_991) {
    all.push(content.subarray(at, at + size));
  }
  return all;
}
