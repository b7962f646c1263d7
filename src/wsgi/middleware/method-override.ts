import type { Environ, Middleware } from '../contract.ts';
import { inputOf } from '../input-stream.ts';

export interface MethodOverrideOptions {
  /** Methods that a POST may stand for. PUT, PATCH and DELETE by default. */
  readonly methods?: readonly string[];
  /** The request field that names the method. `X-HTTP-Method-Override` by default. */
  readonly header?: string;
  /** A field of a form that names it, for browsers, whose forms know POST only. None by default. */
  readonly field?: string;
}

/** A longer form is not read for its method. */
const FORM_BYTES_MAX = 65_536;
const FORM = /^application\/x-www-form-urlencoded(?:\s*;|$)/i;

/** Lets a POST stand for another method, for clients that cannot send one. The application finds the original as `viaduct.original_method`. */
export function methodOverride({
  methods = ['PUT', 'PATCH', 'DELETE'],
  header = 'X-HTTP-Method-Override',
  field,
}: MethodOverrideOptions = {}): Middleware {
  const allowed = new Set(methods.map((method) => method.toUpperCase()));
  const key = `HTTP_${header.toUpperCase().replaceAll('-', '_')}` as 'HTTP_X';
  return function methodOverride(application) {
    return (environ, startResponse) => {
      if (environ.REQUEST_METHOD !== 'POST') return application(environ, startResponse);
      const named = environ[key];
      if (named !== undefined || field === undefined || !isShortForm(environ)) {
        return application(overridden(environ, named, allowed), startResponse);
      }
      return readMethod(environ, field).then((method) =>
        application(overridden(environ, method, allowed), startResponse),
      );
    };
  };
}

function overridden(environ: Environ, named: string | undefined, allowed: ReadonlySet<string>): Environ {
  const method = named?.trim().toUpperCase();
  if (method === undefined || !allowed.has(method)) return environ;
  environ['viaduct.original_method'] = environ.REQUEST_METHOD;
  environ.REQUEST_METHOD = method;
  return environ;
}

function isShortForm({ CONTENT_TYPE = '', CONTENT_LENGTH }: Environ): boolean {
  return FORM.test(CONTENT_TYPE) && CONTENT_LENGTH !== undefined && Number(CONTENT_LENGTH) <= FORM_BYTES_MAX;
}

/** Reads the form, and leaves it to be read again. */
async function readMethod(environ: Environ, field: string): Promise<string | undefined> {
  const content = await environ['wsgi.input'].read();
  environ['wsgi.input'] = inputOf(content);
  return new URLSearchParams(content.toString('utf8')).get(field) ?? undefined;
}
