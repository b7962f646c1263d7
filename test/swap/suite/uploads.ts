import { Conversation, type SentRequest } from '../conversation.ts';
import { type Case, checkSeen, digest, firstOf, type ScriptedCase, same } from './case.ts';

const SMALL = Buffer.from('a=1&b=two');
const BIG = Buffer.alloc(3_000_000, 'some content of three million bytes, ');
const FORM = [['Content-Type', 'application/x-www-form-urlencoded']] as const;

const upload = (name: string, description: string, request: Omit<SentRequest, 'target'>): Case => ({
  name,
  description,
  requests: [{ method: 'POST', target: '/echo', fields: FORM, ...request }],
  check: ([answer]) => arrived(answer, contentOf(request)),
});

export const UPLOADS: readonly (Case | ScriptedCase)[] = [
  upload('upload', 'a form of a few bytes', { content: SMALL }),
  upload('upload, 3 MB', 'three million bytes with a length', { content: BIG }),
  upload('upload in chunks', 'a few bytes in two chunks', { content: [SMALL.subarray(0, 4), SMALL.subarray(4)] }),
  upload('upload in chunks, 3 MB', 'three million bytes in chunks of different sizes', { content: pieces(BIG) }),
  upload('upload of nothing', 'a POST with `Content-Length: 0`', { content: Buffer.alloc(0) }),
  {
    name: 'methods',
    description: 'PUT, PATCH and DELETE with content',
    requests: ['PUT', 'PATCH', 'DELETE'].map((method) => ({ method, target: '/echo', content: SMALL })),
    check: (answers) =>
      firstOf(
        ...answers.map((answer, at) =>
          firstOf(
            checkSeen(answer, ({ method }) => same('the method', method, ['PUT', 'PATCH', 'DELETE'][at] ?? '')),
            arrived(answer, SMALL),
          ),
        ),
      ),
  },
  {
    name: 'continue',
    description: 'a client with `Expect: 100-continue` gets `100 Continue`',
    async run(entrance) {
      const conversation = await Conversation.open(entrance);
      try {
        const request = { method: 'POST', target: '/echo', fields: FORM, content: SMALL };
        const continued = await conversation.askToContinue(request);
        const problem = arrived(await conversation.answer(), SMALL);
        return problem ?? (continued ? null : 'no 100 Continue comes');
      } finally {
        conversation.close();
      }
    },
  },
];

function arrived(answer: Parameters<typeof checkSeen>[0], content: Buffer): string | null {
  return checkSeen(answer, (seen) => {
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
