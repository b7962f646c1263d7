import * as z from 'zod';
import { table, text, whole, words } from './tools.ts';

/** A token of HTTP (RFC 9110, section 5.6.2), as part of a pattern. */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/** Options of sticky sessions. */
export const sticky = table({
  cookie: text(new RegExp(`^${TOKEN}$`), 'the name of a cookie')
    .default('viaduct_backend')
    .describe("The cookie's name."),
  secret: z
    .string('must be a text of 16 characters or more')
    .min(16, 'must be a text of 16 characters or more')
    .optional()
    .describe("Key for the hash in the cookie. Web servers with the same secret accept each other's cookies."),
  secret_file: words('the path of a file').optional().describe('File that holds the secret, instead of secret.'),
  max_age_s: whole(1, 10 * 31_536_000)
    .optional()
    .meta({ description: 'How many seconds the browser keeps the cookie.', defaultText: "the browser's session" }),
  path: text(/^\/[^\s;]*$/, 'a path')
    .default('/')
    .describe("The cookie's path."),
}).refine(({ secret, secret_file }) => (secret === undefined) !== (secret_file === undefined), {
  message: 'must have either a secret or a file with one',
});
