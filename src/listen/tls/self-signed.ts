import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { isIP, isIPv4, SocketAddress } from 'node:net';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ViaductError } from '../../errors.ts';
import {
  bitString,
  objectIdentifier,
  octetString,
  positiveInteger,
  sequence,
  set,
  tagged,
  time,
  truth,
  utf8String,
} from './der.ts';

/** Certificate and private key (PKCS #8), both PEM. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

/** The names by which a browser on the same machine reaches a server under development. */
export const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

const DAY_MS = 24 * 3600 * 1000;
/** Browsers refuse certificates that are valid for more than 398 days. */
const VALID_MS = 397 * DAY_MS;
/** Clocks differ. */
const BACKDATED_MS = 3600 * 1000;
const RENEWED_BEFORE_MS = 7 * DAY_MS;

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/**
 * Makes a key on P-256 and a certificate for it, signed with the same key (RFC 5280), for servers only.
 *
 * @param names host names and IP addresses, the first also as common name
 */
export function makeSelfSigned(names: readonly string[] = LOCAL_NAMES, now: Date = new Date()): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const name = sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(names[0] ?? 'localhost'))));
  const validity = sequence(
    time(new Date(now.getTime() - BACKDATED_MS)),
    time(new Date(now.getTime() + VALID_MS - BACKDATED_MS)),
  );
  const version3 = tagged(0, 'constructed', positiveInteger(Uint8Array.of(2)));
  const serial = positiveInteger(randomBytes(16));
  const content = sequence(
    version3,
    serial,
    algorithm,
    name,
    validity,
    name,
    publicKeyInfo,
    tagged(3, 'constructed', extensions(names, publicKeyInfo)),
  );
  const signature = sign('sha256', content, { key: privateKey, dsaEncoding: 'der' });
  const certificate = sequence(content, algorithm, bitString(signature));
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

function extensions(names: readonly string[], publicKeyInfo: Uint8Array): Buffer {
  const keyIdentifier = createHash('sha1').update(publicKeyInfo).digest();
  const digitalSignature = bitString(Uint8Array.of(0x80), 7);
  return sequence(
    extension(OID.basicConstraints, 'critical', sequence()),
    extension(OID.keyUsage, 'critical', digitalSignature),
    extension(OID.extendedKeyUsage, '', sequence(objectIdentifier(OID.serverAuth))),
    extension(OID.subjectKeyIdentifier, '', octetString(keyIdentifier)),
    extension(OID.subjectAltName, '', sequence(...names.map(generalName))),
  );
}

function extension(identifier: string, critical: 'critical' | '', content: Buffer): Buffer {
  const flag = critical === '' ? [] : [truth()];
  return sequence(objectIdentifier(identifier), ...flag, octetString(content));
}

/** A name in the form of subjectAltName: iPAddress or dNSName (RFC 5280 section 4.2.1.6). */
function generalName(name: string): Buffer {
  if (isIP(name) === 0) return tagged(2, 'primitive', Buffer.from(name, 'latin1'));
  return tagged(7, 'primitive', isIPv4(name) ? Uint8Array.from(name.split('.').map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(text: string): Buffer {
  const [left = '', right] = new SocketAddress({ address: text, family: 'ipv6' }).address.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const last = right === undefined ? [] : groups(right);
  const zeros = Array<string>(Math.max(0, 8 - groups(left).length - last.length)).fill('0');
  const all = [...groups(left), ...zeros, ...last];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** `$XDG_CACHE_HOME/viaduct`, by default `~/.cache/viaduct`. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homeDirectory(), '.cache'), 'viaduct');
}

/** A user without an entry in the system's list, as in many containers, has no home. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch (cause) {
    throw new ViaductError('CERTIFICATE', 'Cannot store a certificate: this user has no home directory', {
      advice: 'Set XDG_CACHE_HOME to a directory that this user may write to.',
      cause,
    });
  }
}

/**
 * Returns the path of a file with certificate and key for this machine's own names. The file stays in `directory`, for its owner only, so
 * that a browser needs only one exception. It is replaced when it is about to expire, or is not valid for its purpose.
 *
 * @throws ViaductError `CERTIFICATE` when the file cannot be written.
 */
export function keptSelfSigned(directory: string = cacheDirectory(), now: Date = new Date()): string {
  const path = join(directory, 'self-signed.pem');
  if (isUsable(path, now)) return path;
  const { certificate, key } = makeSelfSigned(LOCAL_NAMES, now);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, certificate + key, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch (cause) {
    throw new ViaductError('CERTIFICATE', `Cannot store a certificate in "${path}": ${(cause as Error).message}`, {
      advice: 'Set XDG_CACHE_HOME to a directory that this user may write to.',
      cause,
    });
  }
  return path;
}

function isUsable(path: string, now: Date): boolean {
  try {
    const isReadableByOthers = (statSync(path).mode & 0o077) !== 0;
    if (isReadableByOthers) return false;
    const text = readFileSync(path, 'latin1');
    const certificate = new X509Certificate(text);
    return (
      certificate.checkPrivateKey(createPrivateKey(text)) &&
      LOCAL_NAMES.every(
        (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined,
      ) &&
      Date.parse(certificate.validFrom) <= now.getTime() &&
      Date.parse(certificate.validTo) - RENEWED_BEFORE_MS > now.getTime()
    );
  } catch {
    return false;
  }
}
