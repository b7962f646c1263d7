import { reasonPhrase, statusLine } from './status.ts';

/** Why the server itself closes the door: a client's mistake, as a status. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The request was refused: ${status} ${reasonPhrase(status)}`);
    this.status = status;
  }
}

/** The whole answer to a request that cannot be read on. The connection closes after it: what follows cannot be trusted. */
export function refusal(status: number, date: string): string {
  const text = `${status} ${reasonPhrase(status)}\n`;
  const allow = status === 405 ? 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : '';
  return `${statusLine(status, '')}Content-Type: text/plain\r\nContent-Length: ${text.length}\r\n${allow}Connection: close\r\nDate: ${date}\r\nServer: viaduct\r\n\r\n${text}`;
}
