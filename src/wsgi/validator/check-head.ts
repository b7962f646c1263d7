import { isHopByHop } from '../../http/response.ts';
import { describe } from '../contract-errors.ts';
import type { Reporter } from './violation.ts';

/** The head of a response, which its body must agree with. */
export interface Head {
  /** 0 for a malformed status. */
  readonly code: number;
  /** -1 without a Content-Length. */
  readonly contentLength: number;
  readonly hasContentType: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds controls
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: latin-1 includes controls
const LATIN1 = /^[\x00-\xff]*$/;

/** Whether a response of this status has no content (RFC 9110 section 6.4.1). */
export function isBodyless(code: number): boolean {
  return code === 204 || code === 304;
}

/** Checks the arguments of `start_response` (PEP 3333, "The start_response() Callable"). */
export function checkHead(args: readonly unknown[], reporter: Reporter): Head {
  if (args.length < 2 || args.length > 3)
    reporter.report('start-response-arguments', `start_response was called with ${args.length} arguments`);
  const [status, headers] = args;
  const code = checkStatus(status, reporter);
  if (!Array.isArray(headers)) {
    reporter.report('headers-not-list', `the headers are ${describe(headers)}, and not an array`);
    return { code, contentLength: -1, hasContentType: false };
  }
  let contentLength = -1;
  let hasContentType = false;
  for (const header of headers as readonly unknown[]) {
    if (!isPair(header)) {
      reporter.report('headers-not-pairs', `a header is ${JSON.stringify(header)}, and not a pair of strings`);
      continue;
    }
    const name = checkHeader(header, reporter);
    if (name === 'content-type') hasContentType = true;
    else if (name === 'content-length') contentLength = checkLength(header[1], contentLength, reporter);
  }
  if (hasContentType && isBodyless(code))
    reporter.report('content-type-not-allowed', `a response ${code} has no content, and so no Content-Type`);
  return { code, contentLength, hasContentType };
}

function checkStatus(status: unknown, reporter: Reporter): number {
  if (typeof status === 'string' && /^[2-5]\d\d [\t\x20-\x7e\x80-\xff]*$/.test(status))
    return Number(status.slice(0, 3));
  const shown = typeof status === 'string' ? JSON.stringify(status) : describe(status);
  reporter.report('status-malformed', `the status is ${shown}, and not a code of 200 to 599, a space and a reason`);
  return 0;
}

/** Returns the header's name in lower case. */
function checkHeader([name, value]: readonly [string, string], reporter: Reporter): string {
  const lower = name.toLowerCase();
  const quoted = JSON.stringify(name);
  if (!TOKEN.test(name)) reporter.report('header-name-malformed', `the header name ${quoted} is not a token`);
  if (lower === 'status') reporter.report('header-status', 'a header is named Status; start_response takes the status');
  if (isHopByHop(name))
    reporter.report('header-hop-by-hop', `the header ${quoted} belongs to the connection, and so to the server`);
  if (CONTROL.test(value)) reporter.report('header-value-malformed', `the value of ${quoted} holds a control`);
  if (!LATIN1.test(value)) reporter.report('header-not-latin1', `the value of ${quoted} is not latin-1`);
  return lower;
}

function checkLength(value: string, before: number, reporter: Reporter): number {
  if (before < 0 && /^\d{1,15}$/.test(value)) return Number(value);
  const subject = before < 0 ? `Content-Length is ${JSON.stringify(value)}` : 'there is a second Content-Length';
  reporter.report('content-length-malformed', `${subject}: it must be one decimal number`);
  return before;
}

function isPair(header: unknown): header is [string, string] {
  return Array.isArray(header) && header.length === 2 && header.every((part) => typeof part === 'string');
}
