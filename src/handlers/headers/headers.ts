import { ViaductError } from '../../errors.ts';
import { replaceFields } from '../../http/derived-request.ts';
import { FieldNames } from '../../http/field-names.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { encodeHeaders } from '../../http/response.ts';
import { isHost } from '../../http/semantics/host.ts';
import { describeFeature } from '../feature.ts';
import { pairs } from '../options.ts';
import { fillTemplate, parseTemplate, type TemplateParts } from '../rewriting/template.ts';
import { type FieldRules, fieldChange, fieldNames, mergeFields } from './field-rules.ts';

/** Values may contain the placeholders `{host}`, `{hostname}`, `{path}`, `{query}`, `{uri}`, `{method}`, `{scheme}` and `{remote_address}` of the request. */
export interface HeadersOptions {
  /** Changes of responses. */
  readonly response?: FieldRules;
  /** Changes of requests. */
  readonly request?: Omit<FieldRules, 'defaults'>;
}

/**
 * Changes the fields of responses with any status, and of requests. A new `Host` has no placeholders, and becomes the request's host.
 *
 * @throws ViaductError `SETTINGS` that names a field with an unknown placeholder, or a field that frames the message or belongs to a connection; `HEADER_INVALID`
 * for a name or value that cannot be sent
 */
export function headers({ response = {}, request = {} }: HeadersOptions): Handler {
  const changeRequest = isEmpty(request) ? null : requestChange(request);
  const changeFields = isEmpty(response) ? null : responseChange(response);

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
      request: table(rules).prefault({}).describe('The same for requests, before they are answered.'),
    });
  },
  create: ({ set, add, remove, default: defaults, request }) =>
    headers({
      response: { set: pairs(set), add: pairs(add), remove, defaults: pairs(defaults) },
      request: { set: pairs(request.set), add: pairs(request.add), remove: request.remove },
    }),
});

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

type Filled = readonly (readonly [name: string, parts: TemplateParts])[];

function responseChange(rules: FieldRules) {
  check(rules, FRAMING);
  refuse(rules.remove ?? [], NOT_REMOVED);
  const set = templates(rules.set);
  const add = templates(rules.add);
  const defaults = templates(rules.defaults);
  const change = fieldChange(rules);
  if ([...set, ...add, ...defaults].every(([, parts]) => parts.length === 1)) return change;
  const { remove = [] } = rules;
  return (response: Parameters<typeof mergeFields>[0], request: Request) =>
    mergeFields(response, {
      set: fill(set, request),
      add: fill(add, request),
      defaults: fill(defaults, request),
      remove,
    });
}

function requestChange(rules: Omit<FieldRules, 'defaults'>): (request: Request) => Request {
  check(rules, FRAMING);
  refuse([...fieldNames(rules.set ?? []), ...fieldNames(rules.add ?? [])], NOT_IN_REQUEST);
  refuse([...fieldNames(rules.add ?? []), ...(rules.remove ?? [])], HOST);
  const host = newHost(rules.set ?? []);
  const set = templates(rules.set);
  const add = templates(rules.add);
  const gone = new FieldNames([...fieldNames(rules.set ?? []), ...(rules.remove ?? [])]);
  const changes = host === null ? {} : { host };

  return function changeRequest(request) {
    return replaceFields(request, gone, [...fill(set, request), ...fill(add, request)], changes);
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

function templates(fields: HeaderList = []): Filled {
  const list: [string, TemplateParts][] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    list.push([name, parseTemplate(fields[i + 1] as string, `header "${name}"`)]);
  }
  return list;
}

function fill(fields: Filled, request: Request): string[] {
  return fields.flatMap(([name, parts]) => [name, fillTemplate(parts, request)]);
}
