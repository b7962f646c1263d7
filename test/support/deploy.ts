import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { makeProject, WSGI_APP } from './project.ts';
import { ROOT, runViaduct } from './viaduct.ts';

export const DEPLOY = join(ROOT, 'deploy');
const TOOLS = join(ROOT, '.setup/deploy-tools/bin');

/** Programs that read the files of `deploy/` like the tools of their ecosystems. */
export type Tool = 'container' | 'helm' | 'job' | 'kustomization';

/** For `it(title, { skip: missing('helm') })`: false if the tool is built, otherwise the reason to skip. */
export function missing(tool: Tool): string | false {
  return existsSync(join(TOOLS, tool)) ? false : `${tool} is not built in .setup/deploy-tools`;
}

/** Runs a tool and returns what it prints. Fails if the tool fails. */
export function runTool(tool: Tool, ...args: readonly string[]): string {
  const { status, output, stdout } = tryTool(tool, ...args);
  assert.equal(status, 0, `${tool} ${args.join(' ')}: ${output}`);
  return stdout;
}

export function tryTool(tool: Tool, ...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(join(TOOLS, tool), args, { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, output: `${stdout}${stderr}${error ?? ''}` };
}

/** The manifests of the Helm chart with these values. */
export function renderChart(...values: readonly string[]): string {
  const sets = values.flatMap((value) => ['--set', value]);
  return runTool('helm', 'template', 'shop', join(DEPLOY, 'helm/viaduct'), '--kube-version', '1.30', ...sets);
}

/** The configuration with service discovery at these addresses, so that tests send nothing outside. */
export function withDiscoveryAt(config: string, addresses: { kubernetes?: string; dns?: string } = {}): string {
  const { kubernetes = 'http://127.0.0.1:1', dns = '127.0.0.1:1' } = addresses;
  const table = '[route.proxy_options.discovery]';
  const whole = config.includes('+http://') && !config.includes(table) ? `${config}\n${table}\n` : config;
  const without = whole.replace(/^dns_servers = .*\n/m, '');
  return without.replace(table, `${table}\nkubernetes_api = "${kubernetes}"\ndns_servers = "${dns}"`);
}

/** Asserts that `viaduct check` accepts the configuration for this role. */
export async function assertAccepted(t: TestContext, role: 'app' | 'web', config: string): Promise<void> {
  const cwd = makeProject(t, { 'viaduct.toml': withDiscoveryAt(config), 'app.py': WSGI_APP });
  const { code, output } = await runViaduct(cwd, 'check', ...(role === 'app' ? ['app:application'] : []));
  assert.equal(code, 0, output);
}

/** Asserts that this is a command line of the program. Returns its command, and the values of its flags. */
export function parseCommandLine(args: readonly string[]): { role: string; flags: ReadonlyMap<string, string> } {
  const { errors, command, flags } = readArguments(args);
  assert.deepEqual(errors, [], args.join(' '));
  return { role: command, flags: new Map(flags.map(({ name, values }) => [name, String(values[0]?.raw)])) };
}
