import type { SpanKind } from '../../src/trace/document.ts';

/** Two sentences about what a hop is, and what other servers have in its place. */
export interface Explanation {
  readonly what: string;
  readonly elsewhere: string;
}

const WEB_SERVER = 'A web server talks HTTP with clients: it accepts connections, reads requests and sends files.';

export const EXPLANATIONS: Readonly<Record<SpanKind, Explanation>> = {
  connection: {
    what: `${WEB_SERVER} This is the time from the accepted connection to the first byte of its first request.`,
    elsewhere: 'nginx and Apache accept it; gunicorn and uWSGI then get a second connection from them.',
  },
  tls: {
    what: 'Client and server agree on keys and the server shows its certificate. It happens once for each connection.',
    elsewhere:
      'nginx and Apache do it (ssl_certificate, mod_ssl); gunicorn and uWSGI usually stay without TLS behind them.',
  },
  head: {
    what: 'The head of a request is its first line and its fields (headers). The server reads it to the empty line and checks it by RFC 9112.',
    elsewhere:
      'nginx or Apache parse it, and gunicorn parses it again after it was passed on; uWSGI gets it as uwsgi variables.',
  },
  rules: {
    what: 'What holds for every client: limits, and what a trusted proxy says about the true client. It comes before any route.',
    elsewhere: 'real_ip and limits of nginx, mod_remoteip of Apache, forwarded_allow_ips of gunicorn.',
  },
  route: {
    what: 'A route says which chain of handlers gets a request, by host, path, method and fields. The first one that matches wins.',
    elsewhere:
      'location blocks of nginx, <Location> of Apache; gunicorn has no routes, uWSGI has its internal routing.',
  },
  handler: {
    what: 'A handler answers a request, or passes it on and may change the response on its way back. A route has a chain of them.',
    elsewhere:
      'modules of nginx and Apache, such as gzip or mod_deflate; gunicorn leaves this to the server before it.',
  },
  content: {
    what: 'The content (the body) of the request arrives, such as a form or an upload. No worker is occupied meanwhile.',
    elsewhere: 'nginx buffers it (proxy_request_buffering); with gunicorn alone a slow client holds a worker.',
  },
  queue: {
    what: 'All workers have other requests, so this one waits until one is free. A long wait means: more workers, or faster views.',
    elsewhere: 'the listen backlog of gunicorn and uWSGI, where nobody sees the wait; mod_wsgi has its queue-time.',
  },
  lane: {
    what: 'A lane is the way to one worker thread. Other requests of the same thread may be before it.',
    elsewhere: 'a Unix socket between nginx and gunicorn or uWSGI (proxy_pass, uwsgi_pass).',
  },
  backend: {
    what: 'Another server, a backend, has the request. Viaduct waits for its response as a reverse proxy.',
    elsewhere: 'proxy_pass of nginx, ProxyPass of Apache; neither gunicorn nor uWSGI is a reverse proxy.',
  },
  python: {
    what: 'An application server runs Python: it turns a request into a call of your application. A thread of a worker process does this here.',
    elsewhere: 'gunicorn, uWSGI or mod_wsgi do this, each with worker processes of their own.',
  },
  'wsgi-middleware': {
    what: 'WSGI middleware is an application around an application: it may change environ on the way in and start_response on the way out. It works with every framework.',
    elsewhere: 'the same code, in wsgi.py, with gunicorn, uWSGI and mod_wsgi.',
  },
  application: {
    what: 'WSGI (PEP 3333) says how a server calls Python: application(environ, start_response). The file wsgi.py of a project has this callable.',
    elsewhere:
      'the same callable: “gunicorn project.wsgi”, “module = project.wsgi” for uWSGI, WSGIScriptAlias for Apache.',
  },
  middleware: {
    what: 'Middleware of the framework wraps every view: sessions, users, protection against forged forms. Its order is that of the settings.',
    elsewhere: 'the same: it belongs to the framework, not to the server.',
  },
  phase: {
    what: 'One half of a middleware: before the view it sees the request, after the view it sees the response, where headers change. Between them, Django may make a response of an exception.',
    elsewhere: 'the same: it belongs to the framework, not to the server.',
  },
  url: {
    what: 'The framework looks for the view by the path, in the order of its URL patterns. This is its own routing, behind that of the server.',
    elsewhere: 'the same: urls.py of Django, the url_map of Flask.',
  },
  view: {
    what: 'The view is your function: it gets the request and returns the response. Queries and templates usually happen within it.',
    elsewhere: 'the same: it is your code.',
  },
  template: {
    what: 'A template becomes text, with the values of the view in it. Queries within it come from lazy objects: they look like slow templates.',
    elsewhere: 'the same: it belongs to the framework.',
  },
  query: {
    what: 'The application sends a query to its database and waits for the rows. Many small ones in a loop (N+1) cost more than one large one.',
    elsewhere: 'the same: other servers do not see queries; Django Debug Toolbar does.',
  },
  cache: {
    what: 'The application asks its cache for a value that it stored before. A miss means that it has to compute it again.',
    elsewhere: 'the same: it belongs to the framework; proxy_cache of nginx is another one, in front of it.',
  },
  signal: {
    what: 'A signal tells other parts of the application that something happened. All receivers run now, one after the other.',
    elsewhere: 'the same: it belongs to the framework.',
  },
  hook: {
    what: 'The framework calls this function before or after each view. Flask names them before_request and after_request.',
    elsewhere: 'the same: it belongs to the framework.',
  },
  'http-client': {
    what: 'The application is a client itself: it asks another service and waits. The worker can do nothing else meanwhile.',
    elsewhere: 'the same: it is your code.',
  },
  body: {
    what: 'A WSGI application returns an iterable; the server takes its blocks one by one. A stream makes them only now.',
    elsewhere: 'gunicorn, uWSGI and mod_wsgi iterate over the same object.',
  },
  close: {
    what: 'At the end the server calls close() of the iterable (PEP 3333). Django ends its database connections here.',
    elsewhere: 'gunicorn, uWSGI and mod_wsgi call it, too.',
  },
  return: {
    what: 'The response is on its way from the worker to the server. The worker is free for the next request.',
    elsewhere: 'the Unix socket between gunicorn or uWSGI and nginx, in the other direction.',
  },
  response: {
    what: 'The server writes status, fields and content to the client, in the frames of its protocol. start_response gave it the status and fields.',
    elsewhere: 'nginx or Apache write it, after gunicorn or uWSGI have written it to them.',
  },
  flush: {
    what: 'The client takes bytes more slowly than the application made them. The server waits, and the worker does not.',
    elsewhere: 'nginx buffers responses (proxy_buffering); with gunicorn alone a slow client holds a worker.',
  },
};
