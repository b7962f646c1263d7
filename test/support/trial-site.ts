import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FullStatus } from '../../src/cli/control/status-text.ts';
import type { ReloadOutcome } from '../../src/server/control/control-api.ts';
import { callControl } from './control-api.ts';
import { ask, Pipeline } from './http-client.ts';
import type { Lifetime } from './lifetime.ts';
import { makeProject } from './project.ts';
import { APPS, startViaduct, type Viaduct } from './viaduct.ts';

/**
 * Answers with its version, which the file `version` had at the import, and marks each request. The version decides how: `slow`, `failing`,
 * `dying` (in the background), `hanging` (in the probe) and so on.
 */
export const TRIAL_APP = `
import os, sys, threading, time
sys.path.insert(0, ${JSON.stringify(APPS)})
import marks

VERSION = open("version").read()

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/healthz":
        if "hanging" in VERSION:
            time.sleep(600)
        if os.path.exists("ill"):
            start_response("503 Service Unavailable", [])
            return [b"ill"]
        if "exiting" in VERSION:
            os._exit(3)
        if "raising" in VERSION:
            raise KeyError("SECRET")
        if "strict" in VERSION and environ["HTTP_HOST"] != "shop.example":
            start_response("400 Bad Request", [])
            return [b"wrong host"]
        if "secure" in VERSION and environ["wsgi.url_scheme"] != "https":
            start_response("301 Moved Permanently", [("Location", "https://shop.example/healthz")])
            return [b""]
        if "breaking" in VERSION:
            start_response("200 OK", [])
            return broken()
    if "slow" in VERSION:
        time.sleep(0.06)
    if "failing" in VERSION and path != "/healthz":
        start_response("500 Internal Server Error", [("Content-Length", "6")])
        return [b"broken"]
    if path.startswith("/run/"):
        return marks.application(environ, start_response)
    body = VERSION.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

def broken():
    yield b"start"
    raise RuntimeError("broken off")

def die():
    while not os.path.exists("die"):
        time.sleep(0.02)
    os._exit(3)

def dies():
    if "dying" in VERSION:
        threading.Thread(target=die, daemon=True).start()
`;

/** The program with `TRIAL_APP`, whose releases do what the file `version` says. */
export interface TrialSite {
  readonly server: Viaduct;
  readonly project: string;
  /** Makes the code that the next release gets. */
  write(version: string): void;
  /** Reloads as `viaduct reload` does. */
  reload(): Promise<ReloadOutcome>;
  status(): Promise<FullStatus>;
  marks(): string[];
}

/** Starts it with `settings` in [reload]. `version` is that of the first release. */
export async function serveTrials(
  t: Lifetime,
  settings: string,
  version = 'one',
  ...args: readonly string[]
): Promise<TrialSite> {
  const project = makeProject(t, {
    'app.py': TRIAL_APP,
    version,
    'viaduct.toml': `access_log = "off"\ncontrol = "control.sock"\n[hooks]\nafter_fork = "app:dies"\n[reload]\n${settings}\n`,
  });
  const marks = join(project, 'marks');
  const control = join(project, 'control.sock');
  const server = await startViaduct(t, ['serve', '--workers', '2', '--threads', '2', ...args], {
    cwd: project,
    env: { MARKS: marks },
  });
  return {
    server,
    project,
    write: (next) => writeFileSync(join(project, 'version'), next),
    reload: async () => (await callControl(control, 'POST', '/reload')).value as ReloadOutcome,
    status: async () => (await callControl(control, 'GET', '/status')).value as FullStatus,
    marks: () => readFileSync(marks, 'latin1').split('\n').filter(Boolean),
  };
}

/** The content of the answer to a client at `address`. */
export const bodyOf = async ({ server }: TrialSite, path = '/', address?: string): Promise<string> =>
  (await ask(server.port, path, {}, address)).body;

/** Sends requests on 4 connections until `isOver`. Each must be answered with 200, and must have run once. */
export async function load(site: TrialSite, isOver: () => boolean): Promise<void> {
  const clients = Array.from({ length: 4 }, async (_, client) => {
    const ids: string[] = [];
    const pipeline = await Pipeline.open(site.server.port);
    for (let i = 0; i < 20_000 && !isOver(); i += 1) {
      const id = `${client}-${i}`;
      const [answer] = await pipeline.get(`/run/${id}/${i % 3}`);
      assert.equal(answer?.status, 200);
      assert.equal(answer?.body.split(' ')[0], id);
      ids.push(id);
    }
    pipeline.close();
    return ids;
  });
  const ids = (await Promise.all(clients)).flat();
  const starts = site.marks().filter((line) => line.startsWith('start'));
  assert.deepEqual(starts.map((line) => line.split(' ')[1]).sort(), ids.sort());
}
