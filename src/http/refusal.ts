/**
 * A client's mistake: the status that answers it and, for people, what was wrong. The connection closes behind it. `allow` is the
 * Allow field that a 405 must have (RFC 9110 section 15.5.6).
 */
export class Refusal {
  readonly status: number;
  readonly reason: string;
  readonly allow: string;

  constructor(status: number, reason: string, allow = '') {
    this.status = status;
    this.reason = reason;
    this.allow = allow;
  }
}

/** Why a request's content does not arrive whole. `status` is what the connection answers, 0 when nobody is there to read it. */
export class RequestBodyError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(`Cannot read the request's content: ${reason}`);
    this.name = 'RequestBodyError';
    this.status = status;
  }
}
