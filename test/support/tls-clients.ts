import { execFile } from 'node:child_process';

/** What a program wrote to both outputs, and its exit status. */
export interface ProgramResult {
  readonly out: string;
  readonly status: number;
}

/** Runs curl. */
export function curl(...args: readonly string[]): Promise<ProgramResult> {
  return run('curl', ['--silent', '--show-error', '--max-time', '20', ...args]);
}

/** Runs `openssl s_client`, which sends `input` only. */
export function sClient(port: number, args: readonly string[], input = ''): Promise<ProgramResult> {
  return run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], input);
}

function run(program: string, args: readonly string[], input = ''): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 25_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ out: stdout + stderr, status });
    });
    child.stdin?.end(input);
  });
}
