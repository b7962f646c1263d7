import { createHash } from 'node:crypto';
import type { Answer } from '../answers.ts';
import { Conversation, type Door, type SentRequest } from '../conversation.ts';

/** One behaviour that a client, or an application, may rely on. Requests go over one connection, one after the other. */
export interface Case {
  readonly name: string;
  /** What is tried, for the page. */
  readonly tells: string;
  readonly requests: readonly SentRequest[];
  /** The requests come over https. */
  readonly secure?: true;
  /** All requests must be answered on the first connection. */
  readonly kept?: true;
  /** Null when all is as it should be, otherwise what it is instead: null for a response that never came. */
  check(answers: readonly (Answer | null)[]): string | null;
}

/** One that needs more than requests that follow each other. */
export interface PlayedCase extends Pick<Case, 'name' | 'tells'> {
  play(door: Door): Promise<string | null>;
}

/** What an application tells of a request. */
export interface Told {
  readonly method: string;
  readonly script: string;
  readonly pathInfo: string;
  readonly path: string;
  readonly query: string;
  readonly scheme: string;
  readonly address: string;
  readonly length: string;
  readonly type: string;
  readonly size: number;
  readonly digest: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Both ways to a cell. */
export interface Doors {
  readonly plain: Door;
  readonly secure: Door;
}

/** Null when the cell behaves as it should, otherwise what it does instead. */
export async function tryCase(one: Case | PlayedCase, doors: Doors): Promise<string | null> {
  if ('play' in one) return one.play(doors.plain);
  const door = one.secure === true ? doors.secure : doors.plain;
  const answers: (Answer | null)[] = [];
  let conversation = await Conversation.open(door);
  try {
    for (const request of one.requests) {
      if (!conversation.open && one.kept === true) return 'the connection is closed after the first response';
      if (!conversation.open) {
        conversation.close();
        conversation = await Conversation.open(door);
      }
      answers.push(await conversation.ask(request));
    }
  } finally {
    conversation.close();
  }
  return one.check(answers);
}

/** The first of `checks` that is not as it should be. */
export function firstOf(...checks: readonly (string | null)[]): string | null {
  return checks.find((check) => check !== null) ?? null;
}

/** For an answer that is to be whole and have this status. */
export function hasStatus(answer: Answer | null | undefined, status: number): string | null {
  if (answer === null || answer === undefined) return 'no response';
  if (answer.status !== status) return `status ${answer.status}`;
  return answer.whole ? null : 'the content breaks off';
}

/** For an answer that tells what the application saw: looks at it with `look`. */
export function told(answer: Answer | null | undefined, look: (told: Told) => string | null): string | null {
  const wrong = hasStatus(answer, 200);
  if (wrong !== null) return wrong;
  const text = (answer as Answer).content.toString();
  return text === '' ? 'there is no content' : look(JSON.parse(text) as Told);
}

/** Compares a thing by its name. */
export function same(what: string, is: string, shouldBe: string): string | null {
  return is === shouldBe ? null : `${what} is ${shown(is)}`;
}

/** Control characters can be read. */
function shown(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (one) => `\\x${one.charCodeAt(0).toString(16)}`);
}

export function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The content that applications have: of `LARGE` the whole, of `FILE` the first thousand bytes. */
export const LARGE = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz');
export const FILE = LARGE.subarray(0, 1000);

/** For an answer whose content is to be this. */
export function hasContent(answer: Answer | null | undefined, content: Buffer | string): string | null {
  const is = answer?.content ?? Buffer.alloc(0);
  const shouldBe = Buffer.from(content as string);
  if (is.equals(shouldBe)) return null;
  return is.length === shouldBe.length ? 'the content is another' : `${is.length} bytes of content`;
}
