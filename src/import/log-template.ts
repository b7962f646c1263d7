import { compileLogFormat } from '../log/log-format.ts';
import { templateOfPlain } from '../placeholders/template.ts';

/** Variables of nginx as directives of `access_log_format`. */
const NGINX: Readonly<Record<string, string>> = {
  remote_addr: '%h',
  remote_user: '%u',
  time_local: '%{%d/%b/%Y:%T %z}t',
  time_iso8601: '%{%Y-%m-%dT%T+00:00}t',
  msec: '%{end:sec}t.%{end:msec_frac}t',
  request: '%r',
  request_method: '%m',
  request_uri: '%U%q',
  uri: '%U',
  document_uri: '%U',
  server_protocol: '%H',
  status: '%>s',
  body_bytes_sent: '%B',
  host: '%v',
  http_host: '%{Host}i',
  server_port: '%p',
  request_time: '%(L)s',
  upstream_response_time: '%{python_ms}n',
  request_id: '%L',
};

/** Variables of uWSGI's log-format. */
const UWSGI: Readonly<Record<string, string>> = {
  addr: '%h',
  user: '%u',
  ltime: '%{%d/%b/%Y:%T %z}t',
  ftime: '%{%d/%b/%Y:%T %z}t',
  time: '%{sec}t',
  method: '%m',
  uri: '%U%q',
  proto: '%H',
  host: '%v',
  status: '%>s',
  size: '%B',
  rsize: '%B',
  referer: '%{Referer}i',
  uagent: '%{User-Agent}i',
  secs: '%T',
  msecs: '%{ms}T',
  micros: '%D',
  pid: '%P',
};

/** The template, or why there is none: the end of a sentence. */
export type LogTemplate = { readonly template: string } | { readonly problem: string };

/** The template for the text of nginx's `log_format`. */
export function templateOfNginx(text: string): LogTemplate {
  return translate(text.replaceAll('%', '%%'), /\$(?:\{(\w+)\}|(\w+))/g, (name) => {
    if (name.startsWith('http_') && !Object.hasOwn(NGINX, name)) return `%{${fieldName(name.slice(5))}}i`;
    if (name.startsWith('sent_http_')) return `%{${fieldName(name.slice(10))}}o`;
    if (name.startsWith('cookie_')) return `%{${name.slice(7)}}C`;
    return Object.hasOwn(NGINX, name) ? NGINX[name] : undefined;
  });
}

/** The template for uWSGI's `log-format`. */
export function templateOfUwsgi(text: string): LogTemplate {
  return translate(text, /%\(([^)]*)\)/g, (name) => {
    if (name.startsWith('var.HTTP_')) return `%{${fieldName(name.slice(9))}}i`;
    return Object.hasOwn(UWSGI, name) ? UWSGI[name] : undefined;
  });
}

/** Why `access_log_format` does not take the template; '' if it does. */
export function templateProblem(template: string): string {
  try {
    compileLogFormat(template);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function fieldName(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-');
}

function translate(text: string, pattern: RegExp, directiveOf: (name: string) => string | undefined): LogTemplate {
  const unknown: string[] = [];
  let template = '';
  let at = 0;
  for (const { 0: variable, 1: inBraces, 2: bare, index } of text.matchAll(pattern)) {
    const directive = directiveOf(inBraces ?? bare ?? '');
    if (directive === undefined) unknown.push(variable);
    template += templateOfPlain(text.slice(at, index)) + (directive ?? '-');
    at = index + variable.length;
  }
  template += templateOfPlain(text.slice(at));
  return unknown.length === 0 ? { template } : { problem: `${unknown.join(', ')} has no counterpart` };
}
