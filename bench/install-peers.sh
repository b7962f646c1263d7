#!/bin/sh
# Installs what `npm run bench` compares with, on Debian and Ubuntu: nginx and wrk as system packages (as root), the Python servers
# and Django into .setup/bench-venv. What cannot be installed is named; the benchmark then skips it.
set -u
cd "$(dirname "$0")/.." || exit 1

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # bjoern is built with libev, uWSGI with a compiler and Python's headers.
  apt-get install -y -q --no-install-recommends nginx wrk nghttp2-client util-linux gcc libc6-dev libev-dev python3-dev python3-venv
else
  echo 'Not root on a system with apt: install nginx, wrk, gcc, libev and the headers of Python yourself.'
fi

[ -x .setup/bench-venv/bin/python ] || python3 -m venv .setup/bench-venv || exit 1
while read -r requirement; do
  case $requirement in '' | '#'*) continue ;; esac
  .setup/bench-venv/bin/pip install -q --disable-pip-version-check "$requirement" || echo "Not installed: $requirement"
done <bench/requirements.txt

for program in nginx wrk h2load taskset; do
  command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || echo "Not installed: $program"
done
.setup/bench-venv/bin/pip list --disable-pip-version-check
