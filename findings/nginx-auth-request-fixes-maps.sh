#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12): the subrequest of `auth_request` fixes the value of a `map` for the request itself, too.
#
# Guess: a field that `proxy_set_header` fills from `map $arg_kind $kind` has the value for the client's query. The subrequest has no query
# of its own, but it is another request.
# Behaviour: request and subrequest share the values of variables, and a value of `map` is kept once it is known. The location that checks
# access inherits `proxy_set_header`, so it computes the map first, with an empty query, and the backend gets the value for an empty query.
# Why it surprises: without the check of access the same line works. Nothing in the location of the backend mentions the other one.
# What to do: write `volatile;` into the map, or give the location that checks access fields of its own.
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
  map \$arg_kind \$kind { "" none; default some; }
  server {
    listen 127.0.0.1:$port;
    proxy_set_header X-Kind \$kind;
    location /open { proxy_pass http://127.0.0.1:$other; }
    location /checked { auth_request /check; proxy_pass http://127.0.0.1:$other; }
    location = /check { proxy_pass http://127.0.0.1:$other; }
  }
  server {
    listen 127.0.0.1:$other;
    return 200 \$http_x_kind;
  }
}
CONF
"$nginx" -c "$directory/nginx.conf" -e "$directory/error.log" &
server=$!
python3 - "$port" "$("$nginx" -v 2>&1)" <<'PY'
import http.client
import sys
import time


def ask(target):
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=10)
            connection.request('GET', target)
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit('nginx does not listen')


plain, checked = ask('/open?kind=1'), ask('/checked?kind=1')
print(f'{sys.argv[2]}: the backend gets {plain} without auth_request, {checked} with it')
raise SystemExit(0 if (plain, checked) == ('some', 'none') else 1)
PY
