import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import type { TlsProblems } from './tls-problems.ts';

/** The paths of a certificate and its key, both in PEM. The certificate's file also contains the chain up to a root. */
export interface CertificateFiles {
  readonly certificate: string;
  /** Null when the key is in the certificate's file. */
  readonly key: string | null;
  /** Decrypts an encrypted key. */
  readonly passphrase?: string;
}

/** A certificate and a key that belong together. */
export interface LoadedCertificate {
  /** The chain as PEM. */
  readonly chain: string;
  /** The key as PEM, not encrypted. */
  readonly key: string;
  readonly leaf: X509Certificate;
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** Reads both files. Returns null when they cannot be used; then `report` has the reason. */
export function loadCertificate(files: CertificateFiles, report: TlsProblems): LoadedCertificate | null {
  const chain = loadChain(files.certificate, 'certificate', report);
  const key = loadKey(files, report);
  const leaf = chain?.[0];
  if (chain === null || leaf === undefined || key === null) return null;
  if (!leaf.checkPrivateKey(key)) {
    const certificate =
      files.key === null ? 'the certificate in the same file' : `the certificate "${files.certificate}"`;
    const key = files.key ?? files.certificate;
    report.problems.push(`Cannot use the key "${key}": it does not belong to ${certificate}`);
    return null;
  }
  warnOfDates(files.certificate, leaf, report);
  warnOfOrder(files.certificate, chain, report);
  return {
    chain: chain.map((certificate) => certificate.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    leaf,
  };
}

/** Reads a file of certificates, such as those of authorities. Returns null and adds a problem when the file has no usable certificate. */
export function loadChain(path: string, what: string, report: TlsProblems): X509Certificate[] | null {
  const text = readText(path, what, report);
  if (text === null) return null;
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    report.problems.push(`Cannot use the ${what} "${path}": ${whyNoCertificate(text)}`);
    return null;
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    report.problems.push(`Cannot use the ${what} "${path}": it contains a broken certificate (${messageOf(error)})`);
    return null;
  }
}

function whyNoCertificate(text: string): string {
  if (KEY.test(text)) return 'it contains a key and no certificate; are the two files swapped?';
  if (text.includes('BEGIN CERTIFICATE REQUEST')) return 'it is a request for a certificate, not the certificate';
  return text.startsWith('\x30') ? 'it is DER, not PEM; convert it with openssl x509 -inform der' : 'it is not PEM';
}

function loadKey(files: CertificateFiles, report: TlsProblems): KeyObject | null {
  const path = files.key ?? files.certificate;
  const refuse = (state: string): null => {
    report.problems.push(`Cannot use the key "${path}": ${state}`);
    return null;
  };
  const problemsBefore = report.problems.length;
  const text = readText(path, files.key === null ? 'certificate' : 'key', report);
  if (text === null) {
    if (files.key === null) report.problems.length = problemsBefore; // reported for the certificate already
    return null;
  }
  if (!KEY.test(text)) {
    if (files.key === null) {
      const state = 'it has no key: no key file is named, and its own file does not contain a key';
      report.problems.push(`Cannot use the certificate "${path}": ${state}`);
      return null;
    }
    if (text.includes('BEGIN CERTIFICATE'))
      return refuse('it contains a certificate and no key; are the two files swapped?');
    return refuse(text.startsWith('\x30') ? 'it is DER, not PEM' : 'it is not PEM');
  }
  const { passphrase } = files;
  if (ENCRYPTED.test(text) && passphrase === undefined) return refuse('it is encrypted, and no passphrase is given');
  try {
    return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch (error) {
    return refuse(ENCRYPTED.test(text) ? 'the passphrase does not decrypt it' : `it is broken (${messageOf(error)})`);
  }
}

function readText(path: string, what: string, report: TlsProblems): string | null {
  try {
    const stats = statSync(path);
    if (stats.isFile() && stats.size <= FILE_BYTES_MAX) return readFileSync(path, 'latin1');
    const state = stats.isDirectory()
      ? 'it is a directory'
      : stats.isFile()
        ? 'it is too large'
        : 'it is not a regular file';
    report.problems.push(`Cannot read the ${what} "${path}": ${state}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const states: Record<string, string> = {
      ENOENT: 'there is no such file',
      ENOTDIR: 'there is no such file',
      EACCES: 'this user may not read it',
      ELOOP: 'its symbolic links form a loop',
    };
    report.problems.push(`Cannot read the ${what} "${path}": ${states[code ?? ''] ?? messageOf(error)}`);
  }
  return null;
}

function warnOfDates(path: string, leaf: X509Certificate, { warnings }: TlsProblems): void {
  const now = Date.now();
  if (Date.parse(leaf.validTo) < now) warnings.push(`The certificate "${path}" expired on ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > now)
    warnings.push(`The certificate "${path}" is not valid before ${leaf.validFrom}`);
}

/** Warns of a chain in the wrong order: clients follow it from each certificate to the next (RFC 8446 section 4.4.2). */
function warnOfOrder(path: string, chain: readonly X509Certificate[], { warnings }: TlsProblems): void {
  const isOrdered = chain.every((certificate, i) => {
    const next = chain[i + 1];
    return next === undefined || certificate.checkIssued(next);
  });
  if (!isOrdered) warnings.push(`The certificates in "${path}" are out of order: each must be issued by the next one`);
}
