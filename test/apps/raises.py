"""Raises what the query names; `/raises?pid` answers with the number of the process."""

import asyncio
import os
import sys


def application(environ, start_response):
    what = environ['QUERY_STRING']
    if what == 'pid':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [str(os.getpid()).encode()]
    if what == 'exit':
        sys.exit('leave')
    if what == 'interrupt':
        raise KeyboardInterrupt
    if what == 'cancelled':
        raise asyncio.CancelledError
    if what == 'base':
        raise BaseException('a secret of the application')
    if what == 'generator':
        raise GeneratorExit
    if what == 'recursion':
        ping(environ)
    if what == 'unprintable':
        raise Unprintable
    if what == 'surrogate':
        raise RuntimeError('half a character: \udc80')
    if what == 'none':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return None
    if what == 'text':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return ['not bytes']
    if what == 'bytearray':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [b'bytes ', bytearray(b'and not')]
    if what == 'silent':
        return [b'start_response was not called']
    raise RuntimeError('a secret of the application')


def ping(environ):
    pong(environ)


def pong(environ):
    ping(environ)


class Unprintable(Exception):
    def __str__(self):
        raise ValueError('no text either')
