import type { Request } from '../http/message.ts';

/** What placeholders read of a request. The access log has it also of a request that could not be read. */
export type PlaceholderRequest = Pick<Request, 'method' | 'path' | 'query' | 'host' | 'headers' | 'peer' | 'record'> & {
  /** '' if no request could be read. */
  readonly protocol: string;
};

/** What placeholders read of the answer. */
export interface Answer {
  readonly status: number;
  /** The field lines of the response. */
  readonly lines: string;
  /** Content (the body) in bytes. Only the access log knows it. */
  readonly bodyBytes?: number;
  /** Milliseconds from the end of the request's head to the end of the response. Only the access log knows it. */
  readonly durationMs?: number;
}

/** Where there is no answer yet. */
export const NO_ANSWER: Answer = { status: 0, lines: '' };

/** When a value is known: with the request, with the head of the response, or with its end, when the log has its line. */
export type Moment = 'request' | 'response' | 'end';

/** The value of a placeholder; '' if there is none. `groups` are those of the pattern that the text belongs to. */
export type Value = (request: PlaceholderRequest, answer: Answer, groups: readonly string[]) => string;

/** A placeholder, such as `{path}`. */
export interface Placeholder {
  /** The name without braces. */
  readonly name: string;
  /** The moment from which on the value is known. */
  readonly from: Moment;
  /** Whether the value is percent-encoded, as the client sent it. Else it is bytes, each as one latin-1 character. */
  readonly isEncoded: boolean;
  readonly value: Value;
  /** Of `{map.NAME}`: the map, whose values can be whole URLs. */
  readonly map?: PlaceholderMap;
}

/** A table that finds a text for a request. */
export interface PlaceholderMap {
  /** The texts that it can find, as the configuration has them. */
  readonly texts: readonly MapText[];
  /** The text for a request, as an index in `texts`, and the groups of its pattern. */
  find(request: PlaceholderRequest, answer: Answer): MapMatch;
}

/** A text that may have placeholders, and the groups that it may have beside them. */
export interface MapText {
  readonly text: string;
  readonly groups: Groups;
}

export interface MapMatch {
  readonly index: number;
  readonly groups: readonly string[];
}

/** The groups of a pattern, which are the placeholders `{1}`, `{2}`, … and those of their names. */
export interface Groups {
  /** The name of each group, '' for one without. */
  readonly names: readonly string[];
  /** Whether the pattern matches percent-encoded text. */
  readonly areEncoded: boolean;
}

/** A text without a pattern. */
export const NO_GROUPS: Groups = { names: [], areEncoded: true };

/** The groups of a match that did not take place. */
export const NO_VALUES: readonly string[] = [];
