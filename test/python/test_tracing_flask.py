"""What a traced request records of Flask: the functions around the view, the view, its URL, and Jinja2 templates."""

import unittest
import unittest.mock

try:
    import flask
except ImportError as error:
    raise unittest.SkipTest('Flask is not installed') from error

import jinja2
from flask.views import MethodView

from fake_server import FakeServer
from traces import check, hops, path_to, span, spans

TEMPLATES = {
    'page.html': '{% extends "base.html" %}{% block a %}{% include "part.html" %}{% endblock %}',
    'base.html': '<b>{% block a %}{% endblock %}</b>',
    'part.html': 'part {{ value }}',
}


def create_app():
    app = flask.Flask(__name__)
    app.jinja_loader = jinja2.DictLoader(TEMPLATES)

    @app.before_request
    def before():
        pass

    @app.after_request
    def after(response):
        response.headers['X-After'] = 'a'
        return response

    @app.teardown_request
    def teardown(error):
        pass

    @app.errorhandler(KeyError)
    def missing(error):
        return 'missing', 404

    @app.get('/items/<int:number>')
    def item(number):
        return f'item {number}'

    @app.get('/page')
    def page():
        return flask.render_template('page.html', value='x')

    @app.get('/text')
    def text():
        return flask.render_template_string('<i>{{ 1 + 1 }}</i>')

    @app.get('/stream')
    def stream():
        return flask.Response(flask.stream_template('page.html', value='x'))

    @app.get('/handled')
    def handled():
        raise KeyError('x')

    @app.get('/failing')
    def failing():
        raise ValueError('no')

    class Page(MethodView):
        def get(self):
            return 'method'

    app.add_url_rule('/class', view_func=Page.as_view('page_of_class'))
    return app


class Flask(unittest.TestCase):
    def setUp(self):
        self.app = create_app()

    def trace(self, path):
        """Trace a request, and check that it is answered as without a trace."""
        environ = {
            'PATH_INFO': path,
            'SERVER_NAME': 'localhost',
            'SERVER_PORT': '80',
            'wsgi.url_scheme': 'http',
        }
        with FakeServer(self.app) as server:
            untraced = server.ask(environ)
            frames, recording = server.trace(environ)
        check(self, recording)
        self.assertEqual(
            [(frame.kind, frame.status, frame.lines) for frame in frames],
            [(frame.kind, frame.status, frame.lines) for frame in untraced],
        )
        return b''.join(frame.body for frame in frames), recording

    def test_has_the_functions_around_the_view(self):
        body, recording = self.trace('/items/3')
        self.assertEqual(body, b'item 3')
        name = f'{__name__}.create_app.<locals>'
        self.assertEqual(spans(recording, 'view'), [f'{name}.item'])
        self.assertEqual(
            [(each[1], each[5]['phase']) for each in recording['spans'] if each[0] == 'hook'],
            [
                (f'{name}.before', 'before_request'),
                (f'{name}.after', 'after_request'),
                (f'{name}.teardown', 'teardown_request'),
            ],
        )
        view = span(recording, 'view')
        self.assertEqual((view['file'], view['line'] > 0), (__file__, True))
        self.assertEqual(path_to(recording, view), ['flask.app.Flask'])

    def test_has_the_rule_that_matched(self):
        _, recording = self.trace('/items/3')
        found = span(recording, 'url')
        self.assertEqual(found['name'], '/items/<int:number>')
        self.assertEqual(found['attributes'], {'pattern': '/items/<int:number>', 'name': 'item'})

    def test_shows_which_function_changed_the_response(self):
        _, recording = self.trace('/items/3')
        found = hops(recording, 'response')
        names = [name for name, _ in found][:2]
        self.assertEqual(
            names, [f'view {__name__}.create_app.<locals>.item', f'after_request {__name__}.create_app.<locals>.after']
        )
        self.assertEqual([('X-After', 'a') in fields for _, fields in found][:2], [False, True])

    def test_has_each_template(self):
        for path in ('/page', '/stream'):
            for _ in range(2):
                body, recording = self.trace(path)
                self.assertEqual(body, b'<b>part x</b>')
                self.assertEqual(spans(recording, 'template'), ['page.html', 'base.html', 'part.html'])
        body, recording = self.trace('/text')
        self.assertEqual(body, b'<i>2</i>')
        self.assertEqual(spans(recording, 'template'), ['a template without a name'])

    def test_has_the_class_of_a_view(self):
        body, recording = self.trace('/class')
        self.assertEqual((body, spans(recording, 'view')), (b'method', [f'{__name__}.create_app.<locals>.Page']))

    def test_has_handlers_of_errors(self):
        body, recording = self.trace('/handled')
        self.assertEqual(body, b'missing')
        handler = span(recording, 'hook', f'{__name__}.create_app.<locals>.missing')
        self.assertEqual(handler['attributes'], {'phase': 'errorhandler'})
        self.assertEqual(span(recording, 'view')['attributes'], {'error': "KeyError: 'x'"})
        self.assertIsNone(recording['exception'])

    def test_has_the_exception_that_flask_answers_with_500(self):
        with unittest.mock.patch.object(self.app, 'log_exception'):
            _, recording = self.trace('/failing')
        self.assertEqual((recording['exception']['type'], recording['exception']['message']), ('ValueError', 'no'))

    def test_has_the_middleware_around_wsgi_app(self):
        class Adding:
            def __init__(self, app):
                self.app = app

            def __call__(self, environ, start_response):
                environ['HTTP_X_ADDED'] = 'b'
                return self.app(environ, start_response)

        self.app.wsgi_app = Adding(self.app.wsgi_app)
        _, recording = self.trace('/items/3')
        self.assertEqual(spans(recording, 'wsgi-middleware'), [f'{__name__}.{Adding.__qualname__}'])
        self.assertEqual(spans(recording, 'application'), ['flask.app.Flask.wsgi_app'])
        self.assertEqual([name for name, _ in hops(recording, 'request')], ['wsgi_app'])


if __name__ == '__main__':
    unittest.main()
