import { IncomingMessage } from 'node:http';
import type { BodySink, Request, RequestBody } from '../../http/message.ts';
import type { RequestSocket } from './request-socket.ts';

/** How Node's parser hands over the fields. */
interface MessageInternals {
  _addHeaderLines(fields: string[], count: number): void;
}

/** `request` as Node's HTTP server gives it to a listener. */
export function incomingMessage(request: Request, socket: RequestSocket): IncomingMessage {
  const message = new IncomingMessage(socket);
  const { method, path, query, scriptName, protocol, body } = request;
  const search = query === '' ? '' : `?${query}`;
  const [major, minor] = protocol === 'HTTP/1.0' ? [1, 0] : [1, 1];
  const rest = scriptName === '' ? path : path.slice(scriptName.length) || '/';
  Object.assign(message, {
    method,
    url: rest + search,
    httpVersionMajor: major,
    httpVersionMinor: minor,
    httpVersion: `${major}.${minor}`,
    // A framework may replace the prototype, so that this must be the object's own.
    _read: body === null ? endAtOnce : reading(message, body),
  });
  const fields = request.host === '' ? [...request.headers] : withHost(request);
  (message as unknown as MessageInternals)._addHeaderLines(fields, fields.length);
  if (scriptName !== '') Object.assign(message, { originalUrl: path + search, baseUrl: scriptName });
  if (body !== null) message.once('close', () => cancelUnread(message, body));
  return message;
}

/** Host says what an absolute-form target says (RFC 9112 section 3.2.2). */
function withHost({ headers, host }: Request): string[] {
  const fields: string[] = [];
  let found = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const isHost = name.toLowerCase() === 'host';
    found ||= isHost;
    fields.push(name, isHost ? host : (headers[i + 1] as string));
  }
  return found ? fields : ['Host', host, ...fields];
}

function endAtOnce(this: IncomingMessage): void {
  this.complete = true;
  this.push(null);
}

/** Nothing is asked of the client before somebody reads. */
function reading(message: IncomingMessage, body: RequestBody): () => void {
  let started = false;
  const sink: BodySink = {
    write(block) {
      if (!message.destroyed && !message.push(Buffer.from(block))) body.pause();
    },
    end() {
      message.complete = true;
      message.push(null);
    },
    fail: (error) => void message.destroy(error),
  };
  return () => {
    if (started) body.resume();
    else {
      started = true;
      body.start(sink);
    }
  };
}

function cancelUnread(message: IncomingMessage, body: RequestBody): void {
  if (!message.complete) body.cancel();
}
