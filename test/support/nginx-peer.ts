import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { NGINX } from './nginx-backend.ts';
import { eventually } from './socket-client.ts';

/** What two servers should say alike. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Question {
  readonly path: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks a server that listens on a Unix socket. */
export function askSocket(socketPath: string, { path, host, method, headers, body }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fields = { Host: host ?? 'test.example', Connection: 'close', ...headers };
    const asking = request({ socketPath, path, method: method ?? 'GET', headers: fields }, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (block: string) => {
        text += block;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        resolve({ status: statusCode, headers: response.headers as Answer['headers'], body: text });
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Starts nginx with the configuration `nginx.conf` in `directory`, which listens on `nginx.sock` there; returns what ends it. */
export async function startNginx(directory: string): Promise<() => Promise<void>> {
  if (NGINX === undefined) throw new Error('nginx is not installed');
  const child: ChildProcess = spawn(NGINX, ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'error.log'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr?.on('data', (block: Buffer) => {
    output += block.toString();
  });
  const exited = once(child, 'exit');
  await eventually('nginx listens', () => {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${output}`);
    return existsSync(join(directory, 'nginx.sock'));
  });
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}
