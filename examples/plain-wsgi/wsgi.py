"""An application of nothing but PEP 3333: what a server gives it, and what it may give back. Needs no package."""

import html
import os
import time
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ max-width: 46rem; margin: 3rem auto; padding: 0 1.2rem; background: #fbfaf6; color: #1c2b33; font: 1rem/1.6 system-ui, sans-serif }}
  h1 {{ font-size: 1.6rem }}
  a {{ color: #1d6b64 }}
  th {{ white-space: nowrap }}
  code, td, th {{ font: .9rem/1.5 ui-monospace, monospace }}
  table {{ border-collapse: collapse }}
  th, td {{ padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #ddd6c6; text-align: left; vertical-align: top; overflow-wrap: anywhere }}
</style>
<h1>{title}</h1>
{body}
"""

HOME = """<ul>
<li><a href="environ?greeting=hello">environ</a>: what the server passes with a request</li>
<li><a href="clock">clock</a>: a body that is made while it is sent; <code>curl -N</code> shows it best</li>
<li><a href="source">source</a>: this file, sent by <code>wsgi.file_wrapper</code></li>
<li><form method="post" action="count"><input name="text" value="any text"> <button>count its bytes</button></form></li>
</ul>"""

TICKS_MAX = 60
COUNT_BYTES_MAX = 1024 * 1024


def application(environ, start_response):
    views = {'/': home, '/environ': show_environ, '/clock': clock, '/source': source, '/count': count}
    view = views.get(environ['PATH_INFO'], missing)
    return view(environ, start_response)


def home(environ, start_response):
    return page(environ, start_response, 'Plain WSGI', HOME)


def show_environ(environ, start_response):
    rows = ''.join(f'<tr><th>{html.escape(key)}<td>{html.escape(repr(value))}' for key, value in sorted(environ.items()))
    return page(environ, start_response, 'environ', f'<table>{rows}</table>')


def clock(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Cache-Control', 'no-store')])
    return Clock(environ['wsgi.errors'])


class Clock:
    """A body: each block is sent when it is there. The server calls `close` in any case, when the client leaves early too."""

    def __init__(self, errors):
        self.errors = errors
        self.ticks = 0

    def __iter__(self):
        while self.ticks < TICKS_MAX:
            if self.ticks:
                time.sleep(1)
            self.ticks += 1
            yield time.strftime(f'tick {self.ticks} at %H:%M:%S\n').encode()

    def close(self):
        print(f'clock: closed after {self.ticks} ticks', file=self.errors, flush=True)


def source(environ, start_response):
    file = open(__file__, 'rb')
    length = os.fstat(file.fileno()).st_size
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(length))])
    wrapper = environ.get('wsgi.file_wrapper')
    return wrapper(file, 65536) if wrapper else iter(lambda: file.read(65536), b'')


def count(environ, start_response):
    if environ['REQUEST_METHOD'] != 'POST':
        return page(environ, start_response, 'Only POST', '', '405 Method Not Allowed', [('Allow', 'POST')])
    length = int(environ.get('CONTENT_LENGTH') or 0)
    if length > COUNT_BYTES_MAX:
        return page(environ, start_response, 'Too large', '', '413 Content Too Large')
    fields = parse_qs(environ['wsgi.input'].read(length).decode('latin-1'), keep_blank_values=True)
    text = fields.get('text', [''])[0]
    body = f'<p><q>{html.escape(text)}</q> has {len(text.encode())} bytes in UTF-8. <a href="./">Back</a>'
    return page(environ, start_response, 'Counted', body)


def missing(environ, start_response):
    return page(environ, start_response, 'No such page', '<p><a href="/">Back</a>', '404 Not Found')


def page(environ, start_response, title, body, status='200 OK', headers=()):
    content = PAGE.format(title=html.escape(title), body=body).encode()
    start_response(status, [('Content-Type', 'text/html; charset=utf-8'), ('Content-Length', str(len(content))), *headers])
    return [content]
