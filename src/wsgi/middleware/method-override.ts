import type { Environ, Middleware } from '../contract.ts';
import { inputOf } from '../input-stream.ts';

/** Options of `methodOverride`. */
export interface MethodOverrideOptions {
  /** Methods that a POST may be turned into. PUT, PATCH and DELETE by default. */
  readonly methods?: readonly string[];
  /** The request field that names the method. `X-HTTP-Method-Override` by default. */
  readonly header?: string;
  /** The field of a form that names the method, for browsers, whose forms have only GET and POST. None by default. */
  readonly field?: string;
}

/** A longer form is not searched for a method. */
const FORM_BYTES_MAX = 65_536;
const FORM = /^application\/x-www-form-urlencoded(?:\s*;|$)/i;

/**
 * Turns a POST into another method, for clients that cannot send it. The application finds the original method in `viaduct.original_method`. The content
 * of a form up to 64 KiB is read to find the field, and can be read again.
 */
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
      const requested = environ[key];
      if (requested !== undefined || field === undefined || !isShortForm(environ)) {
        return application(overridden(environ, requested, allowed), startResponse);
      }
      return readMethod(environ, field).then((method) =>
        application(overridden(environ, method, allowed), startResponse),
      );
    };
  };
}

function overridden(environ: Environ, requested: string | undefined, allowed: ReadonlySet<string>): Environ {
  const method = requested?.trim().toUpperCase();
  if (method === undefined || !allowed.has(method)) return environ;
  environ['viaduct.original_method'] = environ.REQUEST_METHOD;
  environ.REQUEST_METHOD = method;
  return environ;
}

function isShortForm({ CONTENT_TYPE = '', CONTENT_LENGTH }: Environ): boolean {
  return FORM.test(CONTENT_TYPE) && CONTENT_LENGTH !== undefined && Number(CONTENT_LENGTH) <= FORM_BYTES_MAX;
}

/** Reads the form, and replaces the input so that it can be read again. */
async function readMethod(environ: Environ, field: string): Promise<string | undefined> {
  const content = await environ['wsgi.input'].read();
  environ['wsgi.input'] = inputOf(content);
  return new URLSearchParams(content.toString('utf8')).get(field) ?? undefined;
}
