import { request } from 'node:http';
import { ViaductError } from '../../errors.ts';
import type { RouteBackends } from '../../proxy/backend-control.ts';
import { loadConfiguration } from '../../site/load-configuration.ts';
import type { Arguments } from '../arguments.ts';
import { type Palette, palette } from '../output.ts';

const FORMS = 'viaduct backends [list], drain NAME, enable NAME, weight NAME N or weight NAME configured';

/** `viaduct backends`: lists the backends of a running server, or changes one, by its control socket. */
export async function backends({ words, flags, errors }: Arguments): Promise<number> {
  const { settings } = await loadConfiguration({
    flags,
    errors,
    environment: process.env,
    cwd: process.cwd(),
  });
  const { control } = settings;
  if (control === null) {
    throw new ViaductError('USAGE', 'Cannot reach the server: the setting "control" is missing', {
      advice:
        'Set control = "/run/viaduct/control.sock" in viaduct.toml, or use --control PATH for the server and for this command.',
    });
  }
  const target = targetOf(words);
  const { status, body } = await send(control, target === null ? 'GET' : 'POST', target ?? '/backends');
  if (status >= 400) throw new ViaductError('USAGE', `Cannot change the backend: ${body.trim()}`);
  if (target === null) process.stdout.write(table(JSON.parse(body) as RouteBackends[], palette(process.stdout)));
  return 0;
}

/** The path to send a POST request to; null for the list. */
function targetOf(words: readonly string[]): string | null {
  const [verb = 'list', name, weight, ...more] = words;
  if (verb === 'list' && name === undefined) return null;
  const query = `?name=${encodeURIComponent(name ?? '')}`;
  const isState = (verb === 'drain' || verb === 'enable') && weight === undefined;
  if (isState && name !== undefined) return `/backends/${verb}${query}`;
  if (verb === 'weight' && weight !== undefined && more.length === 0)
    return `/backends/weight${query}&weight=${encodeURIComponent(weight)}`;
  throw new ViaductError('USAGE', `Cannot use "backends ${words.join(' ')}": unknown arguments`, {
    advice: `Write ${FORMS}.`,
  });
}

function send(socketPath: string, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const message = request({ socketPath, method, path, headers: { host: 'localhost' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    message.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(socketPath, error)));
    message.end();
  });
}

function unreachable(path: string, error: NodeJS.ErrnoException): ViaductError {
  const reasons: Record<string, string> = {
    ENOENT: 'the socket does not exist',
    ECONNREFUSED: 'no server listens there',
    EACCES: 'permission denied',
  };
  return new ViaductError(
    'LISTEN',
    `Cannot reach the server at "${path}": ${reasons[error.code ?? ''] ?? error.message}`,
    {
      advice: 'Check that the server runs, with the same setting "control" and as this user.',
      cause: error,
    },
  );
}

function table(routes: readonly RouteBackends[], colours: Palette): string {
  if (routes.length === 0) return 'No route forwards requests to backends.\n';
  const rows = routes.flatMap(({ route, waiting, backends: states }) => [
    [colours.bold(route), '', '', '', waiting === 0 ? '' : `${waiting} requests waiting`],
    ...states.map(({ name, state, weight, backup, active }) => [
      `  ${name}`,
      state,
      `weight ${weight}`,
      `${active} active`,
      backup ? 'backup' : '',
    ]),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => plainLength(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - plainLength(cell)))).join('  ');
  return `${rows.map((row) => line(row).trimEnd()).join('\n')}\n`;
}

/** The length without colours. */
function plainLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are written with ESC
  return text.replace(/\x1b\[\d+m/g, '').length;
}
