import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface KubernetesAccess {
  /** `https://10.0.0.1:6443` */
  readonly api: string;
  /** Read before each request, because tokens are replaced; null asks without one. */
  readonly tokenFile: string | null;
  /** Authorities that are trusted instead of the system's. */
  readonly caFile: string | null;
}

/** An answer that is no success. */
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

/** How a pod reaches the API of its cluster; null outside of one. */
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
 * Gets `path`, which answers with one JSON text or, for a watch, with many, a line each. Resolves when the answer is over.
 *
 * @throws KubernetesError for an answer that is no success, Error when none comes.
 */
export async function getJson(
  access: KubernetesAccess,
  path: string,
  idleMs: number,
  signal: AbortSignal,
  take: (value: unknown) => void,
): Promise<void> {
  const response = await send(access, path, idleMs, signal);
  let rest = '';
  response.setEncoding('utf8');
  if (response.statusCode !== 200) {
    for await (const text of response) rest = (rest + text).slice(0, 1000);
    throw new KubernetesError(response.statusCode ?? 0, `the API answered ${response.statusCode}: ${messageOf(rest)}`);
  }
  for await (const text of response) {
    rest += text;
    if (rest.length > LINE_BYTES_MAX) throw new Error('the API sends too much at once');
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(JSON.parse(line));
  }
  if (rest !== '') take(JSON.parse(rest));
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
    const request = secure ? httpsRequest : httpRequest;
    const ca = secure && caFile !== null ? { ca: readFileSync(caFile) } : {};
    const asking = request(url, { headers, signal, agent: false, ...ca }, (response) => {
      response.setTimeout(idleMs, () => response.destroy(new Error('the API sent nothing for too long')));
      resolve(response);
    });
    asking.setTimeout(CONNECT_MS, () => asking.destroy(new Error('the API did not answer in time')));
    asking.on('error', reject);
    asking.end();
  });
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message);
  } catch {
    return text.slice(0, 200);
  }
}
