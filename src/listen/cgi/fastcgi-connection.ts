import type { Socket } from 'node:net';
import { readFastCgiParams } from '../../cgi/fastcgi-params.ts';
import {
  ABORT_REQUEST,
  BEGIN_REQUEST,
  END_REQUEST,
  GET_VALUES,
  GET_VALUES_RESULT,
  KEEP_CONN,
  nameValue,
  PARAMS,
  RECORD_CONTENT_MAX,
  RESPONDER,
  RecordReader,
  recordHead,
  records,
  STDIN,
  STDOUT,
  UNKNOWN_TYPE,
} from '../../cgi/fastcgi-records.ts';
import { isMalformed } from '../../cgi/params.ts';
import { breakOff } from '../../http/transport/reset-socket.ts';
import type { CgiConnection, CgiConnectionOwner } from './cgi-connection.ts';
import { CgiRequestSocket, type CgiRequestTransport } from './cgi-request-socket.ts';

/** FastCGI 1.0 section 5.5. */
const REQUEST_COMPLETE = 0;
const CANT_MPX_CONN = 1;
const UNKNOWN_ROLE = 3;

const NONE = 0;
/** More parts are joined: a part of one byte takes a hundred. */
const PARTS_MAX = 256;

/** A FastCGI connection: it carries one request at a time. */
export class FastCgiConnection implements CgiRequestTransport, CgiConnection {
  readonly #socket: Socket;
  readonly #owner: CgiConnectionOwner;
  readonly #reader: RecordReader;
  #timer: NodeJS.Timeout | null = null;
  /** The id of the present request, `NONE` between two requests. */
  #id = NONE;
  #keeps = false;
  #params: Buffer[] = [];
  #paramBytes = 0;
  /** The content so far of a record that is handled as a whole. */
  #parts: Buffer[] = [];
  #requestSocket: CgiRequestSocket | null = null;
  /** Whether the front-end proxy has sent the last content of the present request. */
  #contentEnded = false;
  /** The engine wants no more of the request for now. */
  #isHeld = false;
  /** The front-end proxy does not take the answers to its records, so it may not send more of them. */
  #isFull = false;
  #violation: string | null = null;

  constructor(socket: Socket, owner: CgiConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#reader = new RecordReader({ content: (type, id, content, left) => this.#record(type, id, content, left) });
    this.#await(owner.headerTimeoutMs);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => socket.destroy()); // a front-end proxy that closes has given up the request (section 5.4)
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
    socket.on('drain', () => this.#drained());
    socket.resume();
  }

  // CgiRequestTransport: calls of the present request.

  wanted(): void {
    this.#isHeld = false;
    if (!this.#isFull) this.#socket.resume();
  }

  send(bytes: Buffer, sent: (error?: Error | null) => void): void {
    const id = this.#id;
    if (id === NONE) {
      sent();
      return;
    }
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += RECORD_CONTENT_MAX) {
      const part = bytes.subarray(at, at + RECORD_CONTENT_MAX);
      parts.push(Buffer.from(recordHead(STDOUT, id, part.length), 'latin1'), part);
    }
    this.#socket.write(Buffer.concat(parts), sent);
  }

  finish(): void {
    const id = this.#id;
    this.#endRequest();
    this.#write(recordHead(STDOUT, id, 0) + endOf(id, REQUEST_COMPLETE));
    if (this.#keeps && !this.#owner.draining) this.#await(this.#owner.keepAliveTimeoutMs);
    else this.#socket.end();
    this.wanted();
  }

  /** Ends with a reset: to nginx an ordinary end of the connection is the end of the response, even without END_REQUEST. */
  abandon(): void {
    if (this.#id !== NONE) breakOff(this.#socket);
  }

  drain(): void {
    if (this.#id === NONE) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    const violation = this.#reader.read(bytes) ?? this.#violation;
    if (violation === null) return;
    this.#owner.refused(violation);
    this.#socket.destroy();
  }

  #record(type: number, id: number, content: Buffer, left: number): void {
    if (this.#violation !== null) return;
    if (id === NONE) this.#management(type, content, left);
    else if (type === BEGIN_REQUEST) this.#whole(content, left, (whole) => this.#begin(id, whole));
    else if (id !== this.#id)
      return; // it belongs to an earlier request (section 3.3)
    else if (type === PARAMS) this.#takeParams(content, left);
    else if (type === STDIN) this.#takeContent(content, left);
    else if (type === ABORT_REQUEST) this.#abort();
  }

  #begin(id: number, content: Buffer): void {
    if (content.length !== 8) {
      this.#violation = 'the content of BEGIN_REQUEST does not have eight bytes';
      return;
    }
    const role = content.readUInt16BE(0);
    if (this.#id !== NONE) this.#write(endOf(id, CANT_MPX_CONN));
    else if (role !== RESPONDER) this.#write(endOf(id, UNKNOWN_ROLE));
    else {
      this.#id = id;
      this.#keeps = ((content[2] as number) & KEEP_CONN) !== 0;
      this.#params = [];
      this.#paramBytes = 0;
      this.#contentEnded = false;
      this.#await(this.#owner.headerTimeoutMs);
    }
  }

  #takeParams(content: Buffer, left: number): void {
    if (this.#requestSocket !== null) {
      this.#violation = 'variables come after their end';
      return;
    }
    const { limits } = this.#owner;
    if (content.length > 0) this.#params.push(Buffer.from(content));
    if (this.#params.length >= PARTS_MAX) this.#params = [Buffer.concat(this.#params)];
    this.#paramBytes += content.length;
    if (this.#paramBytes > limits.bytesMax) this.#violation = 'the variables are too long';
    if (content.length > 0 || left > 0 || this.#violation !== null) return;
    const variables = readFastCgiParams(Buffer.concat(this.#params), limits);
    this.#params = [];
    if (isMalformed(variables)) {
      this.#violation = variables.reason;
      return;
    }
    this.#awaitNothing();
    this.#requestSocket = new CgiRequestSocket(this, 'cgi');
    this.#owner.begin(this.#requestSocket, variables);
  }

  #takeContent(content: Buffer, left: number): void {
    const requestSocket = this.#requestSocket;
    if (requestSocket === null) this.#violation = 'content comes before the variables';
    else if (content.length === 0 && left === 0) {
      this.#contentEnded = true;
      requestSocket.deliverEnd();
    } else if (this.#contentEnded) this.#violation = 'content comes after its end';
    else if (content.length > 0 && !requestSocket.deliver(Buffer.from(content))) {
      this.#isHeld = true;
      this.#socket.pause();
    }
  }

  /** The client has left. */
  #abort(): void {
    const id = this.#id;
    this.#endRequest()?.destroy();
    this.#write(endOf(id, REQUEST_COMPLETE));
    if (!this.#keeps) this.#socket.end();
    else this.#await(this.#owner.keepAliveTimeoutMs);
    this.wanted(); // the aborted request may have held the socket
  }

  /** Answers management records, which concern the connection itself (section 4). */
  #management(type: number, content: Buffer, left: number): void {
    this.#whole(content, left, (whole) => {
      if (type !== GET_VALUES) {
        this.#write(recordHead(UNKNOWN_TYPE, NONE, 8) + String.fromCharCode(type, 0, 0, 0, 0, 0, 0, 0));
        return;
      }
      const requested = readFastCgiParams(whole, this.#owner.limits);
      const known = isMalformed(requested) ? [] : [...requested.keys()].filter((name) => VALUES.has(name));
      const values = known.map((name) => nameValue(name, VALUES.get(name) as string)).join('');
      this.#write(values === '' ? recordHead(GET_VALUES_RESULT, NONE, 0) : records(GET_VALUES_RESULT, NONE, values));
    });
  }

  /** Calls `use` with the content of a record when all of it has arrived. */
  #whole(content: Buffer, left: number, use: (whole: Buffer) => void): void {
    this.#parts.push(Buffer.from(content));
    if (this.#parts.length >= PARTS_MAX) this.#parts = [Buffer.concat(this.#parts)];
    if (left > 0) return;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    use(whole);
  }

  /** Ends the present request. Returns its socket, if it has one. */
  #endRequest(): CgiRequestSocket | null {
    const requestSocket = this.#requestSocket;
    this.#requestSocket = null;
    this.#id = NONE;
    this.#isHeld = false;
    return requestSocket;
  }

  #write(text: string): void {
    if (this.#socket.write(text, 'latin1')) return;
    this.#isFull = true;
    this.#socket.pause();
  }

  #drained(): void {
    this.#isFull = false;
    if (!this.#isHeld) this.#socket.resume();
  }

  #await(ms: number): void {
    this.#awaitNothing();
    this.#timer = setTimeout(() => {
      if (this.#id !== NONE) this.#owner.refused('the variables did not arrive in time');
      this.#socket.destroy();
    }, ms);
  }

  #awaitNothing(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #closed(): void {
    this.#awaitNothing();
    this.#endRequest()?.destroy();
    this.#owner.closed(this);
  }
}

/** The values of this server for GET_VALUES. */
const VALUES: ReadonlyMap<string, string> = new Map([
  ['FCGI_MAX_CONNS', '20000'],
  ['FCGI_MAX_REQS', '20000'],
  ['FCGI_MPXS_CONNS', '0'],
]);

function endOf(id: number, status: number): string {
  return recordHead(END_REQUEST, id, 8) + String.fromCharCode(0, 0, 0, 0, status, 0, 0, 0);
}
