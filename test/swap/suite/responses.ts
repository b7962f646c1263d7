import { type Answer, valuesOf } from '../answers.ts';
import { Conversation } from '../conversation.ts';
import { type Case, checkSeen, FILE, firstOf, hasContent, hasStatus, LARGE, type ScriptedCase, same } from './case.ts';

const COOKIES = ['a=1; Path=/', 'b=2; HttpOnly; Path=/', 'c=3; expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/'];
/** Longest wait for the first block, which must not wait for the second. */
const BLOCK_MS = 3000;

const status = (code: number): Case => ({
  name: `status ${code}`,
  description: `a ${code} from the application`,
  requests: [{ target: `/status?code=${code}` }],
  check: ([answer]) => firstOf(hasStatus(answer, code), hasContent(answer, `status ${code}`)),
});

const redirect = (to: string): Case => ({
  name: `redirect to ${to}`,
  description: '`Location` arrives as the application wrote it',
  requests: [{ target: `/redirect?to=${encodeURIComponent(to)}` }],
  check: ([answer]) => firstOf(hasStatus(answer, 302), same('Location', field(answer, 'location'), to)),
});

const broken = (name: string, description: string, target: string): Case => ({
  name,
  description,
  requests: [{ target }],
  check: ([answer]) => {
    if (answer === null || answer === undefined || answer.status >= 500 || !answer.whole) return null;
    return 'looks complete';
  },
});

/** A response without content. The next request shows where it ended. */
const empty = (
  name: string,
  code: number,
  target: string,
  fields: readonly (readonly [string, string])[] = [],
): Case => ({
  name,
  description: `a ${code}, then another request`,
  requests: [{ target, fields }, { target: '/echo' }],
  check: ([first, second]) =>
    firstOf(
      hasStatus(first, code),
      code === 304 ? same('ETag', field(first, 'etag'), '"v1"') : null,
      code === 204 && field(first, 'content-length') !== '' ? 'there is a Content-Length' : null,
      checkSeen(second, () => null),
    ),
});

export const RESPONSES: readonly (Case | ScriptedCase)[] = [
  {
    name: 'large response',
    description: 'five million bytes with a length',
    requests: [{ target: '/large' }],
    check: ([answer]) =>
      firstOf(
        hasStatus(answer, 200),
        hasContent(answer, LARGE),
        same('Content-Length', field(answer, 'content-length'), '5000000'),
      ),
  },
  {
    name: 'large response in blocks',
    description: 'five million bytes without a length',
    requests: [{ target: '/blocks' }],
    check: ([answer]) => firstOf(hasStatus(answer, 200), hasContent(answer, LARGE)),
  },
  {
    name: 'stream',
    description: 'a block arrives before the application makes the next one',
    run: runStream,
  },
  {
    name: 'Set-Cookie',
    description: 'three cookies, in their order',
    requests: [{ target: '/cookies' }],
    check: ([answer]) => firstOf(hasStatus(answer, 200), cookiesOf(answer)),
  },
  {
    name: 'response fields',
    description: 'an empty field, a field with a byte above 127, a field twice',
    requests: [{ target: '/fields' }],
    check: ([answer]) =>
      firstOf(
        hasStatus(answer, 200),
        same('X-Latin', field(answer, 'x-latin'), 'caf\xe9'),
        (answer as Answer).fields.some(([name]) => name === 'x-empty') ? null : 'the empty one is missing',
        same('X-Twice', field(answer, 'x-twice'), 'one, two'),
      ),
  },
  redirect('/echo?from=%2F'),
  redirect('https://other.example/path'),
  {
    name: 'range',
    description: 'a 206 from the application',
    requests: [{ target: '/file', fields: [['Range', 'bytes=100-199']] }],
    check: ([answer]) =>
      firstOf(
        hasStatus(answer, 206),
        hasContent(answer, FILE.subarray(100, 200)),
        same('Content-Range', field(answer, 'content-range'), 'bytes 100-199/1000'),
      ),
  },
  {
    name: 'HEAD',
    description: 'the length without the content, then another request',
    requests: [{ method: 'HEAD', target: '/file' }, { target: '/echo' }],
    check: ([head, next]) =>
      firstOf(
        hasStatus(head, 200),
        same('Content-Length', field(head, 'content-length'), '1000'),
        checkSeen(next, () => null),
      ),
  },
  empty('no content', 204, '/empty'),
  empty('not modified', 304, '/tagged', [['If-None-Match', '"v1"']]),
  status(404),
  status(500),
  {
    name: 'not found',
    description: 'a path that the application does not have',
    requests: [{ target: '/nowhere' }],
    check: ([answer]) => hasStatus(answer, 404),
  },
  {
    name: 'exception',
    description: 'the application fails before it responds: 500',
    requests: [{ target: '/fail' }],
    check: ([answer]) => hasStatus(answer, 500),
  },
  broken('broken off', 'the application fails after 70,000 of 100,000 bytes: the client notices', '/broken?length=1'),
  broken('broken off, no length', 'the same without a length: the client notices', '/broken'),
];

let keys = 0;

async function runStream(entrance: Parameters<ScriptedCase['run']>[0]): Promise<string | null> {
  keys += 1;
  const key = `${process.pid}-${keys}`;
  const conversation = await Conversation.open(entrance);
  const other = await Conversation.open(entrance);
  try {
    conversation.sendRequest({ target: `/stream?key=${key}` });
    const early = await conversation.hasArrived('first\n', BLOCK_MS);
    await other.ask({ target: `/release?key=${key}` });
    const answer = await conversation.answer();
    return firstOf(
      hasStatus(answer, 200),
      hasContent(answer, 'first\nlast\n'),
      early ? null : 'the first block arrives with the last',
    );
  } finally {
    conversation.close();
    other.close();
  }
}

function field(answer: Answer | null | undefined, name: string): string {
  return answer === null || answer === undefined ? '' : valuesOf(answer, name).join(', ');
}

/** Checks the cookies. The order of their attributes depends on the framework. */
function cookiesOf(answer: Answer | null | undefined): string | null {
  const values = answer === null || answer === undefined ? [] : valuesOf(answer, 'set-cookie');
  const sorted = values.map((value) => {
    const [pair = '', ...attributes] = value.replace('Expires', 'expires').split('; ');
    return [pair, ...attributes.sort()].join('; ');
  });
  const wanted = COOKIES.map((value) => {
    const [pair = '', ...attributes] = value.split('; ');
    return [pair, ...attributes.sort()].join('; ');
  });
  return sorted.join('\n') === wanted.join('\n') ? null : `the cookies are ${JSON.stringify(values)}`;
}
