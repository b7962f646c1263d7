import assert from 'node:assert/strict';
import { ask } from './http-client.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import type { Lifetime } from './lifetime.ts';
import { APPS, startViaduct, type Viaduct } from './viaduct.ts';
import { eventually } from './wait.ts';

/** The program with all applications of `test/apps`, each at its path. */
export interface Gallery {
  readonly viaduct: Viaduct;
  get(target: string, request?: HttpRequest): Promise<HttpAnswer>;
  /** Waits until the log has `pattern`. Each message is followed by ` request=METHOD PATH`. */
  logged(pattern: RegExp): Promise<void>;
}

/**
 * Starts the gallery inside `wsgiref.validate`, with one worker and four threads. The end of its lifetime stops the gallery, and fails if
 * `wsgiref.validate` complained.
 */
export async function startGallery(t: Lifetime, env: Readonly<Record<string, string>> = {}): Promise<Gallery> {
  const args = ['--workers', '1', '--threads', '4', '--access-log', 'off'];
  const viaduct = await startViaduct(t, ['serve', 'gallery:application', '--chdir', APPS, ...args], { env });
  t.after(async () => {
    await viaduct.stop();
    const complaint = /validate\.py[^\n]{1,20}in (assert_|check_\w+)|WSGIWarning|without being closed/;
    assert.equal(complaint.exec(viaduct.output())?.[0], undefined, 'wsgiref.validate complained');
  });
  return {
    viaduct,
    get: (target, request) => ask(viaduct.port, target, request),
    logged: (pattern) => eventually(`the log has ${pattern}`, () => pattern.test(messagesIn(viaduct.output()))),
  };
}

/** The messages of a JSON log, each with its request. */
function messagesIn(output: string): string {
  const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  const entries = lines.map((line) => JSON.parse(line) as { level?: string; message?: string; request?: string });
  return entries.map(({ level, message, request }) => `${message} request=${request} level=${level}`).join('\n');
}
