import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface KubernetesAccess {
  /** `https://10.0.0.1:6443` */
  readonly api: string;
  /** File with the token, read before each request because tokens are rotated; null sends no token. */
  readonly tokenFile: string | null;
  /** File with the trusted authorities; null trusts the system's authorities. */
  readonly caFile: string | null;
}

/** A response with a status other than 200. */
export class KubernetesError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const CONNECT_MS = 10_000;
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** The API of the cluster as seen from a pod; null outside a cluster. */
export function accessFromPod(environment: Readonly<Record<string, string | undefined>>): KubernetesAccess | null {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === undefined || host === '') return null;
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    api: `https://${authority}:${port}`,
    tokenFile: `${SERVICE_ACCOUNT}/token`,
    caFile: `${SERVICE_ACCOUNT}/ca.crt`,
  };
}

/**
 * Requests `path`. The response is a single JSON value or, for a watch, one JSON value per line. Resolves when the
 * response has ended.
 *
 * @throws KubernetesError for a status other than 200, Error when no response arrives.
 */
export async function getJson(
  access: KubernetesAccess,
  path: string,
  idleMs: number,
  signal: AbortSignal,
  onValue: (value: unknown) => void,
): Promise<void> {
  const response = await send(access, path, idleMs, signal);
  let partial = '';
  response.setEncoding('utf8');
  if (response.statusCode !== 200) {
    for await (const text of response) partial = (partial + text).slice(0, 1000);
    throw new KubernetesError(
      response.statusCode ?? 0,
      `the API answered ${response.statusCode}: ${messageOf(partial)}`,
    );
  }
  for await (const text of response) {
    partial += text;
    if (partial.length > LINE_BYTES_MAX) throw new Error('a line of the response is too long');
    const lines = partial.split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onValue(JSON.parse(line));
  }
  if (partial !== '') onValue(JSON.parse(partial));
}

function send(
  { api, tokenFile, caFile }: KubernetesAccess,
  path: string,
  idleMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, api);
    const token = tokenFile === null ? null : readFileSync(tokenFile, 'utf8').trim();
    const headers = { accept: 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
    const secure = url.protocol === 'https:';
    const start = secure ? httpsRequest : httpRequest;
    const ca = secure && caFile !== null ? { ca: readFileSync(caFile) } : {};
    const request = start(url, { headers, signal, agent: false, ...ca }, (response) => {
      response.setTimeout(idleMs, () => response.destroy(new Error('the API sent nothing for too long')));
      resolve(response);
    });
    request.setTimeout(CONNECT_MS, () => request.destroy(new Error('the API did not answer in time')));
    request.on('error', reject);
    request.end();
  });
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message);
  } catch {
    return text.slice(0, 200);
  }
}
