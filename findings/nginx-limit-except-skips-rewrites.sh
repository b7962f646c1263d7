#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12): `limit_except` decides more than who may come. For the methods that it does not name, the location's `rewrite`,
# `set` and `return` do not run.
#
# Guess: `limit_except GET { allow all; }` changes nothing, because it lets everybody in. It holds rules of access, as its documentation says.
# Behaviour: a POST is served by an inner location of its own, which inherits the content handler but not the instructions of the rewrite
# module. `return` is skipped, so the request falls through to files; a variable of `set` is empty in `proxy_pass`.
# Why it surprises: a redirect to HTTPS or a rewrite to the new path works for GET, and a form is sent to another place. Access still holds.
# What to do: put `rewrite`, `set` and `return` into the server or into a location around this one, or test $request_method with `map`.
#
# Needs apt, to fetch the package; it is unpacked, not installed. Prints the version and both answers; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$directory"' EXIT
cd "$directory"

apt-get download --quiet nginx=1.22.1-9+deb12u11 2> /dev/null || apt-get download --quiet nginx > /dev/null
dpkg -x nginx_*.deb unpacked
nginx=unpacked/usr/sbin/nginx
read -r port other <<< "$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))')"
temporary=$(for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $directory/$kind;"; done)
cat > nginx.conf <<CONF
daemon off;
pid $directory/pid;
error_log $directory/error.log;
events {}
http {
  access_log off;
  $temporary
  server {
    listen 127.0.0.1:$port;
    location / {
      set \$place new;
      limit_except GET { allow all; }
      proxy_pass http://127.0.0.1:$other/\$place;
    }
  }
  server {
    listen 127.0.0.1:$other;
    return 200 \$request_uri;
  }
}
CONF
"$nginx" -c "$directory/nginx.conf" -e "$directory/error.log" &
server=$!
python3 - "$port" "$("$nginx" -v 2>&1)" <<'PY'
import http.client
import sys
import time


def ask(method):
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=10)
            connection.request(method, '/form')
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit('nginx does not listen')


get, post = ask('GET'), ask('POST')
print(f'{sys.argv[2]}: the backend gets {get} for GET, {post} for POST')
raise SystemExit(0 if (get, post) == ('/new', '/') else 1)
PY
