"""Raises the exception that the query names. `/raises?pid` answers with the pid of the process."""

import asyncio
import os
import sys


def application(environ, start_response):
    kind = environ['QUERY_STRING']
    if kind == 'pid':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [str(os.getpid()).encode()]
    if kind == 'exit':
        sys.exit('leave')
    if kind == 'interrupt':
        raise KeyboardInterrupt
    if kind == 'cancelled':
        raise asyncio.CancelledError
    if kind == 'base':
        raise BaseException('a secret of the application')
    if kind == 'generator':
        raise GeneratorExit
    if kind == 'recursion':
        ping(environ)
    if kind == 'unprintable':
        raise Unprintable
    if kind == 'surrogate':
        raise RuntimeError('half a character: \udc80')
    if kind == 'none':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return None
    if kind == 'text':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return ['not bytes']
    if kind == 'silent':
        return [b'start_response was not called']
    raise RuntimeError('a secret of the application')


def ping(environ):
    pong(environ)


def pong(environ):
    ping(environ)


class Unprintable(Exception):
    def __str__(self):
        raise ValueError('no text either')
