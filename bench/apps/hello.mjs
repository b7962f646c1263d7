/** The smallest answer, by WSGI's contract in JavaScript. The same as hello.py. */

const BODY = Buffer.from('Hello, world!\n');
const HEADERS = [
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Content-Length', String(BODY.length)],
];

export function application(_environ, startResponse) {
  startResponse('200 OK', HEADERS);
  return [BODY];
}
