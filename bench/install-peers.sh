#!/bin/sh
# Installs what `npm run bench` compares with, on Debian and Ubuntu: nginx, h2o and wrk as system packages (as root), the Python servers
# and Django into .setup/bench-venv, Caddy into .setup/bench-go (where there is Go, else as a system package). What cannot be installed is named; the benchmark then skips it.
set -u
cd "$(dirname "$0")/.." || exit 1

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # bjoern is built with libev, uWSGI with a compiler and Python's headers.
  apt-get install -y -q --no-install-recommends nginx wrk nghttp2-client openssl util-linux gcc libc6-dev libev-dev python3-dev python3-venv
  # Not in every release, and nothing else waits for them. Caddy's package is older than the one that Go builds.
  apt-get install -y -q --no-install-recommends h2o || echo 'Not installed: h2o'
  command -v go >/dev/null || apt-get install -y -q --no-install-recommends caddy || echo 'Not installed: caddy'
else
  echo 'Not root on a system with apt: install nginx, h2o, wrk, gcc, libev and the headers of Python yourself.'
fi

[ -x .setup/bench-venv/bin/python ] || python3 -m venv .setup/bench-venv || exit 1
while read -r requirement; do
  case $requirement in '' | '#'*) continue ;; esac
  .setup/bench-venv/bin/pip install -q --disable-pip-version-check "$requirement" || echo "Not installed: $requirement"
done <bench/requirements.txt

CADDY=v2.10.2
if command -v go >/dev/null && [ ! -x .setup/bench-go/caddy ]; then
  # It needs Go 1.25, and takes some minutes. Without the flag it does not know its version.
  GOBIN="$(pwd -P)/.setup/bench-go" go install -ldflags "-X github.com/caddyserver/caddy/v2.CustomVersion=$CADDY" \
    "github.com/caddyserver/caddy/v2/cmd/caddy@$CADDY" || echo 'Not installed: caddy'
fi

for program in nginx wrk h2load h2o openssl taskset; do
  command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || echo "Not installed: $program"
done
.setup/bench-venv/bin/pip list --disable-pip-version-check
