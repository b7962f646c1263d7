import type { Next } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';

/** The backends that the API lists and changes. Lists are sent as JSON, as they are. */
export interface ControlledBackends {
  backends(): Promise<readonly unknown[]>;
  changeBackend(name: string, change: { draining?: boolean; weight?: number | null }): Promise<boolean>;
}

const WEIGHT_MAX = 100;

/**
 * Lists and changes backends: `GET /backends`; `POST /backends/drain?name=NAME`, `/backends/enable?name=NAME` and
 * `/backends/weight?name=NAME&weight=N`, where N is from 1 to 100, or `configured`. A change is
 * answered with 204, an unknown name with 404.
 */
export function backendsApi(control: ControlledBackends): Next {
  return async function backends(request) {
    const { method, path } = request;
    if (path === '/backends') return method === 'GET' ? json(await control.backends()) : notAllowed('GET');
    const change = CHANGES.get(path);
    if (change === undefined) return Response.text(404, 'Not Found: no such resource\n');
    if (method !== 'POST') return notAllowed('POST');
    const query = new URLSearchParams(request.query);
    const changed = change(query);
    if (typeof changed === 'string') return Response.text(400, `${changed}\n`);
    const name = query.get('name') ?? '';
    if (await control.changeBackend(name, changed)) return Response.fromHeaders(204, [], null);
    return Response.text(404, `There is no backend "${name}"\n`);
  } as (request: Request) => Promise<Response>;
}

type Change = { draining?: boolean; weight?: number | null };

const CHANGES = new Map<string, (query: URLSearchParams) => Change | string>([
  ['/backends/drain', () => ({ draining: true })],
  ['/backends/enable', () => ({ draining: false })],
  ['/backends/weight', weightChange],
]);

function weightChange(query: URLSearchParams): Change | string {
  const text = query.get('weight') ?? '';
  if (text === 'configured') return { weight: null };
  const weight = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return weight >= 1 && weight <= WEIGHT_MAX
    ? { weight }
    : `The weight must be a whole number from 1 to ${WEIGHT_MAX}, or configured`;
}

function json(value: unknown): Response {
  const body = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return Response.fromHeaders(200, ['Content-Type', 'application/json', 'Cache-Control', 'no-store'], body);
}

function notAllowed(allow: string): Response {
  return Response.text(405, 'The method is not allowed\n', ['Allow', allow]);
}
