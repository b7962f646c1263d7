#!/usr/bin/env bash
# uWSGI 2.0.31: an application that is mounted at "/" does not get the requests that no other mount takes.
#
# Guess: with "mount = /shop=shop.py", "mount = /=main.py" and "manage-script-name", /shop/… belongs to shop and everything else to main, because
# "/" is a prefix of each path, and the longest mount wins.
# Behaviour: shop answers everything, also "/" and "/about". Whatever no longer mount takes goes to the default application, which is the
# first one that was loaded from a path, and the mount at "/" is never compared. With the two lines in the other order, main answers.
# Why it surprises: the start logs "mounting main.py on /", there is no warning, and each line works alone. The order of other mounts has no effect.
# What to do: name the application of the site with "module" or "wsgi-file", or write its mount first.
#
# Prints the version and who answers in both orders; fails if the behaviour changes.
set -euo pipefail

place=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$place"
}
trap finish EXIT
cd "$place"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uwsgi==2.0.31
venv/bin/uwsgi --version
for name in shop main; do
  cat >$name.py <<PYTHON
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"$name"]
PYTHON
done

# The applications that answer / and /shop/x, in one line.
answers() {
  venv/bin/uwsgi --master --http-socket 127.0.0.1:0 --manage-script-name --mount "$1" --mount "$2" >log 2>&1 &
  server=$!
  for _ in $(seq 100); do
    grep -q 'spawned uWSGI' log && break
    sleep 0.1
  done
  port=$(sed -n 's/.*bound to TCP address 127\.0\.0\.1:\([0-9]*\).*/\1/p' log)
  for path in / /shop/x; do
    python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode(), end=" ")' "http://127.0.0.1:$port$path"
  done
  kill -INT "$server"
  wait "$server" || true
  server=
}

answers /shop=shop.py /=main.py >last
answers /=main.py /shop=shop.py >first
last=$(cat last)
first=$(cat first)
echo "mount at / last: / and /shop/x are answered by $last"
echo "mount at / first: / and /shop/x are answered by $first"
[ "$last" = "shop shop " ] && [ "$first" = "main shop " ]
