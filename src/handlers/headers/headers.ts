import { ViaductError } from '../../errors.ts';
import { replaceFields } from '../../http/derived-request.ts';
import { FieldNames } from '../../http/field-names.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { encodeHeaders, type Response } from '../../http/response.ts';
import { isHost } from '../../http/semantics/host.ts';
import { type Placeholders, STANDARD_PLACEHOLDERS } from '../../placeholders/placeholders.ts';
import { describeFeature } from '../feature.ts';
import { pairs } from '../options.ts';
import { type FieldRules, fieldChange, fieldNames, filledFieldChange } from './field-rules.ts';
import { fillFields, fillLines, linesOf, parseFields, plainFields } from './filled-fields.ts';

/** Values may contain placeholders, those for responses also `{status}` and `{response.header.NAME}`. A byte that a field cannot have is percent-encoded in their values. */
export interface HeadersOptions {
  /** Changes of responses. */
  readonly response?: FieldRules;
  /** Changes of successful responses and redirects: those with 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308. */
  readonly success?: Pick<FieldRules, 'set' | 'add'>;
  /** Changes of requests. */
  readonly request?: Omit<FieldRules, 'defaults'>;
}

/**
 * Changes the fields of responses with any status, and of requests. A new `Host` has no placeholders, and becomes the request's host.
 *
 * @throws ViaductError `SETTINGS` that names a field with an unknown placeholder, or a field that frames the message or belongs to a connection; `HEADER_INVALID`
 * for a name or value that cannot be sent
 */
export function headers(
  { response = {}, success = {}, request = {} }: HeadersOptions,
  placeholders = STANDARD_PLACEHOLDERS,
): Handler {
  const changeRequest = isEmpty(request) ? null : requestChange(request, placeholders);
  const changeAll = isEmpty(response) ? null : responseChange(response, placeholders);
  const changeSuccess = isEmpty(success) ? null : responseChange(success, placeholders);
  const changeFields = changeSuccess === null ? changeAll : both(changeAll, changeSuccess);

  return function headers(original, next) {
    const changed = changeRequest === null ? original : changeRequest(original);
    if (changeFields === null) return next(changed);
    return mapResponse(next(changed), (result) => changeFields(result, original));
  };
}

/** `headers` in a configuration. */
export const headersFeature = describeFeature({
  key: 'headers',
  scope: 'site',
  description: 'Changes header fields of responses and of requests.',
  page: 'handlers.md#headers',
  schema: ({ feature, fields, listOf, table, words }) => {
    const rules = {
      set: fields().default({}).describe('Fields that replace all fields of the same name.'),
      add: fields().default({}).describe('Fields that are added to those of the same name.'),
      remove: listOf(words('a field name')).prefault([]).describe('Names of fields that are removed.'),
    };
    return feature({
      ...rules,
      default: fields().default({}).describe('Fields that are added to a response that has none of the same name.'),
      success: table({ set: rules.set, add: rules.add })
        .prefault({})
        .describe('The same only for responses with 200, 201, 204, 206, 301, 302, 303, 304, 307 or 308.'),
      request: table(rules).prefault({}).describe('The same for requests, before they are answered.'),
    });
  },
  create: ({ set, add, remove, default: defaults, success, request }, { placeholders }) =>
    headers(
      {
        response: { set: pairs(set), add: pairs(add), remove, defaults: pairs(defaults) },
        success: { set: pairs(success.set), add: pairs(success.add) },
        request: { set: pairs(request.set), add: pairs(request.add), remove: request.remove },
      },
      placeholders,
    ),
});

type Change = (response: Response, request: Request) => Response;

/** The statuses that nginx adds fields to, unless it is told to do so always. */
const SUCCESS: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

function both(changeAll: Change | null, changeSuccess: Change): Change {
  return (response, request) => {
    const changed = SUCCESS.has(response.status) ? changeSuccess(response, request) : response;
    return changeAll === null ? changed : changeAll(changed, request);
  };
}

/** Fields that frame a message or belong to a connection, so that no handler may change them. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** A server with a clock sends Date (RFC 9110 section 6.6.1). */
const NOT_REMOVED: ReadonlySet<string> = new Set(['date']);
const NOT_IN_REQUEST: ReadonlySet<string> = new Set(['expect']);

function responseChange(
  rules: FieldRules,
  placeholders: Placeholders,
): (response: Response, request: Request) => Response {
  check(rules, FRAMING);
  const { remove = [] } = rules;
  refuse(remove, NOT_REMOVED);
  const parse = (fields: HeaderList = []) => parseFields(fields, placeholders, 'response');
  const set = parse(rules.set);
  const add = parse(rules.add);
  const defaults = parse(rules.defaults);
  const plain = [set, add, defaults].map(plainFields);
  if (plain.every((fields) => fields !== null)) {
    const [plainSet = [], plainAdd = [], plainDefaults = []] = plain;
    return fieldChange({ set: plainSet, add: plainAdd, defaults: plainDefaults, remove });
  }
  const lines = linesOf([...set, ...defaults, ...add]);
  return filledFieldChange({
    names: rules,
    lines: (response, request: Request) => fillLines(lines, request, response),
    rules: (response, request) => ({
      set: fillFields(set, request, response),
      add: fillFields(add, request, response),
      defaults: fillFields(defaults, request, response),
      remove,
    }),
  });
}

function requestChange(rules: Omit<FieldRules, 'defaults'>, placeholders: Placeholders): (request: Request) => Request {
  check(rules, FRAMING);
  refuse([...fieldNames(rules.set ?? []), ...fieldNames(rules.add ?? [])], NOT_IN_REQUEST);
  refuse([...fieldNames(rules.add ?? []), ...(rules.remove ?? [])], HOST);
  const host = newHost(rules.set ?? []);
  const added = parseFields([...(rules.set ?? []), ...(rules.add ?? [])], placeholders, 'request');
  const plain = plainFields(added);
  const gone = new FieldNames([...fieldNames(rules.set ?? []), ...(rules.remove ?? [])]);
  const changes = host === null ? {} : { host };

  return function changeRequest(request) {
    return replaceFields(request, gone, plain ?? fillFields(added, request), changes);
  };
}

const HOST: ReadonlySet<string> = new Set(['host']);

function newHost(set: HeaderList): string | null {
  const index = fieldNames(set).indexOf('host');
  if (index < 0) return null;
  const host = set[index * 2 + 1] as string;
  if (isHost(host)) return host;
  throw new ViaductError('SETTINGS', `Cannot set Host to ${JSON.stringify(host)}: it is not a valid host`, {
    advice: 'Write a host with or without a port, without placeholders.',
  });
}

function isEmpty({ set = [], add = [], defaults = [], remove = [] }: FieldRules): boolean {
  return set.length + add.length + defaults.length + remove.length === 0;
}

/** Checks names and values, including placeholders, so that errors are found at start. */
function check({ set = [], add = [], defaults = [], remove = [] }: FieldRules, refused: ReadonlySet<string>): void {
  refuse([...fieldNames(set), ...fieldNames(add), ...fieldNames(defaults), ...remove], refused);
  encodeHeaders([...set, ...add, ...defaults, ...remove.flatMap((name) => [name, ''])]);
}

function refuse(names: readonly string[], refused: ReadonlySet<string>): void {
  const invalid = names.find((name) => refused.has(name.toLowerCase()));
  if (invalid === undefined) return;
  throw new ViaductError('SETTINGS', `Cannot change header "${invalid}": the server sets it`, {
    advice: 'Remove it. The server always sets it as the message needs it.',
  });
}
