import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, type HttpAnswer, type HttpRequest } from './http-client.ts';
import { eventually } from './socket-client.ts';
import { ROOT, startViaduct, type Viaduct } from './viaduct.ts';

/** Where the applications are, one for each behaviour. */
export const APPS = join(ROOT, 'test/apps');

/** A Viaduct with all applications of `test/apps` inside `wsgiref.validate`: one worker, four threads. */
export class Gallery {
  readonly viaduct: Viaduct;

  private constructor(viaduct: Viaduct) {
    this.viaduct = viaduct;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<Gallery> {
    const counts = ['--workers', '1', '--threads', '4', '--access-log', 'off'];
    return new Gallery(await startViaduct({ args: ['serve', 'gallery:application', '--chdir', APPS, ...counts], env }));
  }

  get(target: string, request?: HttpRequest): Promise<HttpAnswer> {
    return ask(this.viaduct.port, target, request);
  }

  /** Waits until the log has `pattern`; each message is followed by ` request=METHOD PATH`. */
  logged(pattern: RegExp): Promise<void> {
    return eventually(`the log has ${pattern}`, () => pattern.test(messages(this.viaduct.output())));
  }

  /** Ends it. Throws when `wsgiref.validate` complained of anything. */
  async stop(): Promise<void> {
    await this.viaduct.stop();
    const complaint = /validate\.py[^\n]{1,20}in (assert_|check_\w+)|WSGIWarning|without being closed/;
    assert.equal(complaint.exec(this.viaduct.output())?.[0], undefined, 'wsgiref.validate complained');
  }
}

/** The messages of a log in JSON, each with its request. */
function messages(output: string): string {
  const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  const entries = lines.map((line) => JSON.parse(line) as { message?: string; request?: string });
  return entries.map(({ message, request }) => `${message} request=${request}`).join('\n');
}
