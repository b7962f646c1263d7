import { createHash } from 'node:crypto';
import type { Answer } from '../answers.ts';
import { Conversation, type Entrance, type SentRequest } from '../conversation.ts';

/** A behaviour on which a client or an application may rely. The requests are sent one after the other on one connection. */
export interface Case {
  readonly name: string;
  /** What the case checks, for the page. */
  readonly description: string;
  readonly requests: readonly SentRequest[];
  /** The requests use https. */
  readonly secure?: true;
  /** All requests must be answered on the first connection. */
  readonly kept?: true;
  /** Returns null if all answers are correct, otherwise the outcome. An answer is null if no response came. */
  check(answers: readonly (Answer | null)[]): string | null;
}

/** A case that needs more than one request after the other. */
export interface ScriptedCase extends Pick<Case, 'name' | 'description'> {
  run(entrance: Entrance): Promise<string | null>;
}

/** A request as the application sees it. */
export interface SeenRequest {
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

/** The two entrances to a cell. */
export interface Entrances {
  readonly plain: Entrance;
  readonly secure: Entrance;
}

/** Runs a case. Returns null if the cell behaves correctly, otherwise the outcome. */
export async function tryCase(testCase: Case | ScriptedCase, entrances: Entrances): Promise<string | null> {
  if ('run' in testCase) return testCase.run(entrances.plain);
  const entrance = testCase.secure === true ? entrances.secure : entrances.plain;
  const answers: (Answer | null)[] = [];
  let conversation = await Conversation.open(entrance);
  try {
    for (const request of testCase.requests) {
      if (!conversation.open && testCase.kept === true) return 'the connection is closed after the first response';
      if (!conversation.open) {
        conversation.close();
        conversation = await Conversation.open(entrance);
      }
      answers.push(await conversation.ask(request));
    }
  } finally {
    conversation.close();
  }
  return testCase.check(answers);
}

/** The first problem among the results of `checks`. */
export function firstOf(...checks: readonly (string | null)[]): string | null {
  return checks.find((check) => check !== null) ?? null;
}

/** Checks that an answer is whole and has this status. */
export function hasStatus(answer: Answer | null | undefined, status: number): string | null {
  if (answer === null || answer === undefined) return 'no response';
  if (answer.status !== status) return `status ${answer.status}`;
  return answer.whole ? null : 'the content breaks off';
}

/** Checks the request that the application saw. The answer has it as JSON. */
export function checkSeen(
  answer: Answer | null | undefined,
  check: (seen: SeenRequest) => string | null,
): string | null {
  const problem = hasStatus(answer, 200);
  if (problem !== null) return problem;
  const text = (answer as Answer).content.toString();
  return text === '' ? 'there is no content' : check(JSON.parse(text) as SeenRequest);
}

/** Compares a value. `name` is its name in the outcome. */
export function same(name: string, actual: string, expected: string): string | null {
  return actual === expected ? null : `${name} is ${quoted(actual)}`;
}

/** The text in quotes, with control characters escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}

export function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The contents of the applications. */
export const LARGE = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz');
export const FILE = LARGE.subarray(0, 1000);

/** Checks that an answer has this content. */
export function hasContent(answer: Answer | null | undefined, content: Buffer | string): string | null {
  const actual = answer?.content ?? Buffer.alloc(0);
  const expected = Buffer.from(content as string);
  if (actual.equals(expected)) return null;
  return actual.length === expected.length ? 'the content is another' : `${actual.length} bytes of content`;
}
