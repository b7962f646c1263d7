"""What the server is told to serve. It is never called: the applications live in the suite's process."""


def application(environ, start_response):
    raise AssertionError('this application stands in for those of the suite')
