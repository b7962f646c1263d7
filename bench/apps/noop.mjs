/** Middleware that does nothing: what is left is what the chain costs. */
export function middleware(application) {
  return (environ, startResponse) => application(environ, startResponse);
}
