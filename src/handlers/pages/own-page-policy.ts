/**
 * What Viaduct's own pages may do in a browser (Content Security Policy Level 3): run the scripts that come with them and ask their own server, and
 * nothing else. `formAction` is for the page that asks for the token of the admin side.
 */
export function ownPagePolicy(formAction: "'none'" | "'self'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types viaduct',
  ].join('; ');
}
