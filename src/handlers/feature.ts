import type { ZodType } from 'zod';
import type { Handler, HandlerResult } from '../http/handler.ts';
import type { HeaderList, Request } from '../http/message.ts';
import type { Placeholders } from '../placeholders/placeholders.ts';
import type { LimitZones } from './limits/limit-zones.ts';
import type { PageSource } from './pages/page.ts';
import type { SchemaTools } from './schema-tools.ts';

/** The tables that can have a key: `route` for routes only, `site` for routes and the top of the file, where it applies to every request. */
export type FeatureScope = 'site' | 'route';

/**
 * Describes how a configuration switches on a handler: by which key, with which options, and how the handler is made of the options. The order of all handlers
 * is in `site/features.ts`.
 */
export interface FeatureDescriptor<Key extends string, Scope extends FeatureScope, Config, Input> {
  readonly key: Key;
  readonly scope: Scope;
  /** One sentence about the effect of the handler. */
  readonly description: string;
  /** The page of docs/ that explains the key, with or without an anchor. */
  readonly page: string;
  readonly schema: (tools: SchemaTools) => ZodType<Config, Input>;
  /**
   * Makes the handler of the parsed options. It is not called if the configuration says `false`.
   *
   * @throws ViaductError `SETTINGS`. The site adds the key and its location to the message
   */
  readonly create: (config: NonNullable<Config>, context: FeatureContext) => Handler;
  /**
   * Names of request fields that only this handler may set, such as the field with the user's name. The site removes the client's own fields of these names
   * from all requests, also from those of other routes: an application that trusts such a field is behind all of them.
   */
  readonly claims?: (config: NonNullable<Config>) => readonly string[];
  /** Names of request fields that this handler sets or hides, so that the client's own are for nobody behind it. For handlers that check access. */
  readonly owns?: (config: NonNullable<Config>) => readonly string[];
}

/** The parts of the site that a feature may use. */
export interface FeatureContext {
  /** Converts a path of the configuration to an absolute path. */
  readonly pathOf: (path: string) => string;
  /** The page in a file of the configuration. */
  readonly pageIn: (path: string) => PageSource;
  /**
   * Makes a client for the server at `origin`, such as `http://127.0.0.1:9091`. The client ends with the site.
   *
   * @throws ViaductError `SETTINGS` for an invalid origin
   */
  readonly service: (origin: string, timeoutMs: number) => AskService;
  /**
   * The function that answers a request with the route for `target`: a path with an optional query, which gets a GET or
   * HEAD without content and may have placeholders, or a path such as `@sorry`, which gets the request as it is. `isWhole`: without conditions and
   * ranges. It returns null if no route answers.
   *
   * @throws ViaductError `SETTINGS` for a target that no request can be led to
   */
  readonly answerBy: (target: string) => (request: Request, isWhole: boolean) => HandlerResult | null;
  /** Reports a problem of the configuration with which the server works: a sentence without its full stop. */
  readonly warn: (problem: string) => void;
  /** The placeholders that texts of the configuration may have. */
  readonly placeholders: Placeholders;
  /** For so many milliseconds the content of a file is used without a look at the disk. */
  readonly revalidateMs: number;
  /** What the limits of the site count. */
  readonly zones: LimitZones;
  /** Reports an error of a request. */
  readonly onError: (message: string) => void;
}

/** Sends a request without content and returns the head of the response. Rejects if there is no response in time. */
export type AskService = (question: {
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
}) => Promise<{ readonly status: number; readonly headers: HeaderList }>;

/** Returns `descriptor`. TypeScript infers the parameter of `create` from `schema`. */
export function describeFeature<const Key extends string, const Scope extends FeatureScope, Config, Input>(
  descriptor: FeatureDescriptor<Key, Scope, Config, Input>,
): FeatureDescriptor<Key, Scope, Config, Input> {
  return descriptor;
}
