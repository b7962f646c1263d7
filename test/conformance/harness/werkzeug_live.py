"""Puts the live server in place of `run_simple`, which Werkzeug's live tests start in a process of its own."""

import importlib
import pathlib
import sys

import pytest

from .server import POOL

OF_RUN_SIMPLE = {
    'use_reloader': "the reloader is run_simple's own",
    'reloader_type': "the reloader is run_simple's own",
    'override_client_addr': 'replaces a method of the handler that run_simple uses',
}


def install(conftest):
    """Make `DevServerClient` start our server; everything else of it is Werkzeug's."""

    def enter(client):
        for option, reason in OF_RUN_SIMPLE.items():
            if option in client._server_kwargs:
                pytest.skip(reason)
        client._server = POOL.start(*listening(client))
        client._server.application = application(client, pathlib.Path(conftest.__file__).parent)
        client._log_read = open(client._server.log.name, encoding='utf-8', errors='surrogateescape')
        client.wait_ready()
        return client

    def leave(client, *_):
        client._log_read.close()
        client._server.stop()

    conftest.DevServerClient.__enter__ = enter
    conftest.DevServerClient.__exit__ = leave


def listening(client):
    """What makes the server listen where the client will ask."""
    if client.scheme == 'unix':
        return [f'unix:{client.addr}']
    if client.scheme == 'http':
        return [client.addr]
    certificate = client._server_kwargs['ssl_context']
    if isinstance(certificate, str):
        return [f'https://{client.addr}', '', '--tls-self-signed']
    settings = client._tmp_path / 'viaduct.toml'
    settings.write_text('[tls]\ncertificate = "{}"\nkey = "{}"\n'.format(*certificate))
    return [f'https://{client.addr}', '', '--config', str(settings)]


def application(client, tests):
    """What `live_apps/run.py` serves: the named application, and an answer for who waits until it is there."""
    from werkzeug.debug import DebuggedApplication
    from werkzeug.wrappers import Response

    sys.path.insert(0, str(tests / 'live_apps'))
    app = importlib.import_module(f'{client._app_name}_app').app
    del sys.path[0]

    def with_ensure(environ, start_response):
        if environ['PATH_INFO'] == '/ensure':
            return Response()(environ, start_response)
        return app(environ, start_response)

    return DebuggedApplication(with_ensure) if client._server_kwargs.get('use_debugger') else with_ensure
