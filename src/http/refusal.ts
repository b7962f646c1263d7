/**
 * A client's error: the status of the response, and the reason in words for people. The connection closes after the response.
 * `allow` is the value of the Allow field, which a 405 must have (RFC 9110 section 15.5.6).
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

/** Why a request's content does not arrive completely. `status` is for the response, 0 when the client is no longer there. */
export class RequestBodyError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(`Cannot read the request's content: ${reason}`);
    this.name = 'RequestBodyError';
    this.status = status;
  }
}
