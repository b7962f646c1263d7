import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from './socket-client.ts';

const DIRECTORIES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
/** Its path; undefined when it is not installed. */
export const NGINX = DIRECTORIES.map((directory) => join(directory, 'nginx')).find((path) => existsSync(path));

/** For `{ skip: NO_NGINX }`: false when there is an nginx, otherwise what is missing. */
export const NO_NGINX = NGINX === undefined ? 'nginx is not installed' : false;

/** An nginx of our own that listens on a Unix socket, so that no port is taken. */
export class NginxBackend {
  readonly directory: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, process: ChildProcess) {
    this.directory = directory;
    this.#process = process;
  }

  /** Starts it with these directives in its one server, whose root is `directory`. `prepare` puts files there. */
  static async start(directives: string, prepare: (directory: string) => void = () => {}): Promise<NginxBackend> {
    if (NGINX === undefined) throw new Error('nginx is not installed');
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-nginx-'));
    prepare(directory);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = paths.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ');
    const configuration = `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
events { }
http { access_log off; ${temporary}
  server { listen unix:${directory}/socket; root ${directory}; ${directives} } }
`;
    writeFileSync(join(directory, 'nginx.conf'), configuration);
    const child = spawn(NGINX, ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'ignore' });
    const nginx = new NginxBackend(directory, child);
    await eventually('nginx listens', () => {
      if (child.exitCode !== null) throw new Error('nginx did not start');
      return existsSync(nginx.socketPath);
    });
    return nginx;
  }

  get socketPath(): string {
    return join(this.directory, 'socket');
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
