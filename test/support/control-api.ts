import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { ROOT } from './viaduct.ts';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: unknown }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly responses: Operation['responses'];
    readonly schemas: Readonly<Record<string, unknown>>;
  };
}

const DESCRIPTION = parse(readFileSync(join(ROOT, 'docs/control-api.yaml'), 'utf8')) as Description;

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

/** What is not JSON: logs-command.test.ts, live-events.test.ts and trace-command.test.ts read it. */
const STREAMS = ['GET /logs/follow', 'GET /traces/events', 'GET /traces/requests/{id}/export'];

/** `GET /status` and the like: everything that docs/control-api.yaml describes. */
export const OPERATIONS: readonly string[] = Object.entries(DESCRIPTION.paths)
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  .filter((operation) => !STREAMS.includes(operation));

/** The operations and statuses that were seen and found to be as described: `GET /status 200`. */
export const SEEN = new Set<string>();

/** Sends a request to a control socket, and checks that the answer is what docs/control-api.yaml says, every field of it. */
export async function callControl(
  socketPath: string,
  method: 'GET' | 'POST',
  target: string,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const message = request({ socketPath, method, path: target, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (block: string) => (body += block));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: body }));
    });
    message.on('error', reject).end();
  });
  const path = target.replace(/\?.*$/, '').replace(/^(\/traces\/requests)\/[^/]+/, '$1/{id}');
  const name = `${method} ${path} ${status}`;
  const described = DESCRIPTION.paths[path]?.[method.toLowerCase()]?.responses[`${status}`];
  if (described === undefined) throw new Error(`${name} is not described`);
  const schema = schemaOf(described);
  const value: unknown = schema === null ? null : JSON.parse(text);
  if (schema === null && text !== '') throw new Error(`${name} has content: ${text}`);
  const checked = schema === null ? null : z.fromJSONSchema(schema).safeParse(value);
  if (checked?.success === false) throw new Error(`${name} is not as described: ${checked.error.message}\n${text}`);
  SEEN.add(name);
  return { status, value };
}

/** The schema of an answer, which can be used alone; null for an answer without content. */
function schemaOf(response: Operation['responses'][string]): JsonSchema | null {
  const { content } = response.$ref === undefined ? response : lookUp(response.$ref);
  if (content === undefined) return null;
  const described = (content as { 'application/json'?: { schema: object } })['application/json'];
  if (described === undefined) throw new Error('callControl reads JSON only, and no stream');
  const { schema } = described;
  const text = JSON.stringify({ ...schema, $defs: DESCRIPTION.components.schemas });
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as JsonSchema;
}

function lookUp(reference: string): Operation['responses'][string] {
  const response = DESCRIPTION.components.responses[reference.replace('#/components/responses/', '')];
  if (response === undefined) throw new Error(`${reference} is not described`);
  return response;
}
