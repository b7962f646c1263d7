#!/usr/bin/env bash
# TypeScript 7.0.2 (the native compiler): `tsc --watch` does not notice changes of a project that is close to the root of the file system.
#
# Guess: `tsc --watch` compiles again after each change, wherever the project is. At most a network drive could be an exception.
# Behaviour: in /app, with its sources in /app/src, the first compilation succeeds and "Watching for file changes" is printed. An edit of
# /app/src/a.ts is then never noticed, without any message. The same project a few folders deeper compiles again after a moment.
# Why it surprises: /app is the usual working directory of a container, so it is the first place where people watch. TypeScript 5.9
# compiles again there.
# What to do: in containers keep the project deeper (/home/node/project), or watch the files yourself and start `tsc` for each change.
#
# Needs root, because it makes a folder in /. Prints the version and what each project did; fails if the behaviour changes.
set -euo pipefail

tools=$(mktemp -d)
shallow=$(mktemp -d /finding-XXXXXX)
deep=$(mktemp -d)/one/two/three/project
watchers=()
finish() {
  for pid in "${watchers[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$tools" "$shallow" "${deep%/one/*}"
}
trap finish EXIT

cd "$tools"
npm install --silent --no-audit --no-fund typescript@7.0.2
tsc="$tools/node_modules/.bin/tsc"
"$tsc" --version

for project in "$shallow" "$deep"; do
  mkdir -p "$project/src"
  echo 'export const value: number = 1;' >"$project/src/a.ts"
  echo '{"compilerOptions":{"outDir":"dist","rootDir":"src","module":"nodenext","types":[]},"include":["src"]}' >"$project/tsconfig.json"
  (cd "$project" && exec "$tsc" -p tsconfig.json --watch >log 2>&1) &
  watchers+=($!)
done

# Both have compiled once and watch.
for project in "$shallow" "$deep"; do
  for _ in $(seq 60); do
    grep -qi 'watching for file changes' "$project/log" && break
    sleep 1
  done
done
for project in "$shallow" "$deep"; do echo 'export const value: number = 2;' >"$project/src/a.ts"; done

# The deep one shows when an edit should have been noticed. The other one gets as long again.
for waited in $(seq 60); do
  grep -q 'value = 2' "$deep/dist/a.js" && break
  sleep 1
done
sleep $((waited + 5))

seen() { if grep -q 'value = 2' "$1/dist/a.js"; then echo yes; else echo no; fi; }
echo "edit of $shallow/src/a.ts noticed: $(seen "$shallow")"
echo "edit of $deep/src/a.ts noticed: $(seen "$deep")"
[ "$(seen "$shallow")" = no ] && [ "$(seen "$deep")" = yes ]
