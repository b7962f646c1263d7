import type { ClientCertificate, HeaderList } from '../http/message.ts';

/** The variables that all requests of one listener share. */
export interface ListenerEnviron {
  /** The host that the listener was configured with. */
  readonly SERVER_NAME: string;
  /** The port that the listener is bound to, in decimal. */
  readonly SERVER_PORT: string;
  /** The scheme that the listener speaks. */
  readonly 'wsgi.url_scheme': 'http' | 'https';
}

/** No application looks up a longer header name. */
const KEY_LENGTH_MAX = 255;

/** The content arrives decoded, so its framing belongs to the server. Programs mistake HTTP_PROXY for the setting of an outgoing proxy (CVE-2016-5385). */
const NOT_PASSED_ON = new Set(['transfer-encoding', 'proxy']);

/**
 * The environ key of a header name as received; null for a header that no application may see. A name with an underscore is such a header, because
 * `X_Real_IP` and `X-Real-IP` would become the same key.
 */
export function environKey(name: string): string | null {
  if (name.includes('_') || NOT_PASSED_ON.has(name.toLowerCase())) return null;
  const key = name.toUpperCase().replaceAll('-', '_');
  if (key.length + 5 > KEY_LENGTH_MAX) return null;
  return key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH' ? key : `HTTP_${key}`;
}

/** One field per name: repeated values are joined by a comma and a space (RFC 9110 section 5.3), cookies by a semicolon (RFC 6265). */
export function joinRepeated(headers: HeaderList): HeaderList {
  const values = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    const before = values.get(name);
    const separator = name === 'cookie' ? '; ' : ', ';
    values.set(name, before === undefined ? value : before + separator + value);
  }
  return [...values].flat();
}

/** `path` with each `%XX` as one latin-1 character. A `%` without two hexadecimal digits stays as it is. */
export function percentDecode(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A decoded path, each character a byte, with `%XX` for each character that a request target cannot contain (RFC 3986 section 3.3). */
export function percentEncode(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** The text of a variable such as PATH_INFO, whose characters are the bytes of UTF-8. Bytes that are not UTF-8 become U+FFFD. */
export function pathText(native: string): string {
  return Buffer.from(native, 'latin1').toString('utf8');
}

/** REMOTE_USER for a name: a native string of PEP 3333, which holds the bytes of UTF-8. */
export function userVariable(user: string): string {
  return Buffer.from(user, 'utf8').toString('latin1');
}

/** The variables for a client's certificate, named as in Apache's mod_ssl, where applications look for them. */
export function certificateVariables(certificate: ClientCertificate): Readonly<Record<CertificateVariable, string>> {
  const { verified, subject, issuer, serial, fingerprint256 } = certificate;
  return {
    SSL_CLIENT_VERIFY: verified ? 'SUCCESS' : 'FAILED',
    SSL_CLIENT_S_DN: native(subject),
    SSL_CLIENT_I_DN: native(issuer),
    SSL_CLIENT_M_SERIAL: native(serial),
    SSL_CLIENT_FINGERPRINT: native(fingerprint256),
  };
}

type CertificateVariable =
  | 'SSL_CLIENT_VERIFY'
  | 'SSL_CLIENT_S_DN'
  | 'SSL_CLIENT_I_DN'
  | 'SSL_CLIENT_M_SERIAL'
  | 'SSL_CLIENT_FINGERPRINT';

/** PEP 3333's native string of a text: each character is a byte of its UTF-8. */
export function native(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
