import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { makeProject, WSGI_APP } from './project.ts';
import { runViaduct } from './run-viaduct.ts';
import { ROOT } from './viaduct.ts';

export const DEPLOY = join(ROOT, 'deploy');
const TOOLS = join(ROOT, '.setup/deploy-tools/bin');

/** Programs that read files as their ecosystems do. */
export type Tool = 'container' | 'helm' | 'job' | 'kustomization';

/** For `it(title, { skip: missing('helm') })`: false when it is there. */
export function missing(tool: Tool): string | false {
  return existsSync(join(TOOLS, tool)) ? false : `${tool} is not built in .setup/deploy-tools`;
}

/** Runs a tool, which must succeed, and returns what it prints. */
export function runTool(tool: Tool, ...args: readonly string[]): string {
  const { status, output, stdout } = tryTool(tool, ...args);
  assert.equal(status, 0, `${tool} ${args.join(' ')}: ${output}`);
  return stdout;
}

export function tryTool(tool: Tool, ...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(join(TOOLS, tool), args, { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, output: `${stdout}${stderr}${error ?? ''}` };
}

/** Manifests of the chart with these values. */
export function renderChart(...values: readonly string[]): string {
  const sets = values.flatMap((value) => ['--set', value]);
  return runTool('helm', 'template', 'shop', join(DEPLOY, 'helm/viaduct'), '--kube-version', '1.30', ...sets);
}

/** The configuration with engines asked at these addresses. Tests ask nobody outside. */
export function askingAt(config: string, addresses: { kubernetes?: string; dns?: string } = {}): string {
  const { kubernetes = 'http://127.0.0.1:1', dns = '127.0.0.1:1' } = addresses;
  const table = '[route.proxy_options.discovery]';
  const whole = config.includes('+http://') && !config.includes(table) ? `${config}\n${table}\n` : config;
  const without = whole.replace(/^dns_servers = .*\n/m, '');
  return without.replace(table, `${table}\nkubernetes_api = "${kubernetes}"\ndns_servers = "${dns}"`);
}

/** Viaduct takes it as the configuration of such a server. */
export async function accepted(t: TestContext, role: 'app' | 'web', config: string): Promise<void> {
  const cwd = makeProject(t, { 'viaduct.toml': askingAt(config), 'app.py': WSGI_APP });
  const { code, output } = await runViaduct(cwd, 'check', ...(role === 'app' ? ['app:application'] : []));
  assert.equal(code, 0, output);
}

/** The command line is one of `viaduct app` or `viaduct web`, with flags that there are. Returns which, and the flags' values. */
export function understood(args: readonly string[]): { role: string; flags: ReadonlyMap<string, string> } {
  const { mistakes, command, flags } = readArguments(args);
  assert.deepEqual(mistakes, [], args.join(' '));
  return { role: command, flags: new Map(flags.map(({ name, values }) => [name, String(values[0]?.raw)])) };
}
