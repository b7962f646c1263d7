import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../../errors.ts';
import type { LiveRequest } from '../../server/live-requests.ts';
import type { Overview } from '../../trace/overview.ts';
import { resultOf, send } from '../control/client.ts';
import { findControl } from '../control/find-server.ts';
import { Screen } from '../control/screen.ts';
import { readToolWords, wrongWords } from '../control/tool-words.ts';
import { type TopState, topText } from '../control/top-text.ts';
import { palette } from '../output.ts';
import { heightOf, widthOf } from '../table.ts';

const FORM = 'viaduct top [--once] [--json]';
const EVERY_MS = 1000;
const ANSWER_MS = 15_000;

/** `viaduct top`: workers and live requests, again each second until `q` or Ctrl-C. Without a terminal, once. Resolves to the exit code. */
export async function top(words: readonly string[]): Promise<number> {
  const { values, positionals, place } = readToolWords(words, { once: { type: 'boolean' } }, FORM);
  if (positionals.length > 0) throw wrongWords(`"${positionals[0]}" is not one of them`, FORM);
  const socket = await findControl(place);
  const isJson = values.json === true;
  if (isJson || values.once === true || process.stdout.isTTY !== true) {
    await stateOf(socket); // rates need two looks
    await sleep(EVERY_MS);
    const state = await stateOf(socket);
    process.stdout.write(isJson ? `${JSON.stringify(state, null, 2)}\n` : textOf(state, Number.POSITIVE_INFINITY));
    return 0;
  }
  return await watch(socket);
}

async function watch(socket: string): Promise<number> {
  let state = await stateOf(socket);
  const screen = new Screen(process.stdin, process.stdout);
  const show = (): void => screen.show(textOf(state, heightOf(process.stdout)));
  const { left } = screen.enter(show);
  const over = new AbortController();
  void left.then(() => over.abort());
  let farewell = '';
  try {
    while (!over.signal.aborted) {
      show();
      await sleep(EVERY_MS, null, { signal: over.signal }).catch(() => {});
      if (!over.signal.aborted) state = await stateOf(socket);
    }
  } catch (error) {
    if (!(error instanceof ViaductError) || error.code !== 'LISTEN') throw error;
    farewell = 'The server has ended.\n';
  } finally {
    screen.leave();
  }
  process.stderr.write(farewell);
  return 0;
}

async function stateOf(socket: string): Promise<TopState> {
  const ask = async (path: string): Promise<unknown> =>
    resultOf(await send(socket, 'GET', path, ANSWER_MS), 'show the state', 'WORKER');
  const [overview, requests] = await Promise.all([ask('/traces/overview'), ask('/traces/live')]);
  return { overview: overview as Overview, requests: requests as readonly LiveRequest[] };
}

/** As many lines as fit. */
function textOf(state: TopState, rows: number): string {
  const text = topText(state, { colours: palette(process.stdout), width: widthOf(process.stdout), nowMs: Date.now() });
  return Number.isFinite(rows)
    ? text
        .split('\n')
        .slice(0, Math.max(1, rows - 1))
        .join('\n')
    : text;
}
