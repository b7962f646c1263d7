import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { failed, json, notAllowed } from './responses.ts';

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
export function backendsApi(control: ControlledBackends): (request: Request) => Promise<Response> {
  return async function backends(request) {
    const { method, path } = request;
    if (path === '/backends') return method === 'GET' ? json(200, await control.backends()) : notAllowed('GET');
    const change = CHANGES.get(path);
    if (change === undefined) return failed(404, 'There is no such resource');
    if (method !== 'POST') return notAllowed('POST');
    const query = new URLSearchParams(request.query);
    const changed = change(query);
    if (typeof changed === 'string') return failed(400, changed);
    const name = query.get('name') ?? '';
    if (await control.changeBackend(name, changed)) return Response.fromHeaders(204, [], null);
    return failed(404, `There is no backend "${name}"`);
  };
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
