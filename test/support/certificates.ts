import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from './peer.ts';

/** For `{ skip: NO_OPENSSL }`: false if openssl is installed, otherwise the reason to skip. */
export const NO_OPENSSL = missing('openssl');
export const NO_CURL = missing('curl');

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority, which openssl makes in `directory`, and the certificates that it issues. */
export class Authority {
  readonly certificate: string;
  readonly #directory: string;
  readonly #key: string;

  constructor(directory: string, name = 'ca') {
    this.#directory = directory;
    this.certificate = join(directory, `${name}.crt`);
    this.#key = join(directory, `${name}.key`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', this.#key];
    openssl('req', '-x509', ...key, '-out', this.certificate, '-subj', `/CN=Test ${name}`, '-days', '30');
  }

  /** Issues a certificate. `names` are its DNS names (subjectAltName); its serial number is random. */
  issue(file: string, kind: 'rsa' | 'ec', names: readonly string[], subject = `/CN=${names[0]}`): Pair {
    const path = (suffix: string) => join(this.#directory, `${file}.${suffix}`);
    const key = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    openssl('req', '-newkey', ...key, '-nodes', '-keyout', path('key'), '-out', path('csr'), '-subj', subject);
    const alternatives = names.map((name) => `DNS:${name}`).join(',');
    writeFileSync(
      path('ext'),
      alternatives === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${alternatives}\n`,
    );
    const signed = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-days', '20'];
    openssl('x509', '-req', '-in', path('csr'), ...signed, '-extfile', path('ext'), '-out', path('crt'));
    return { certificate: path('crt'), key: path('key') };
  }
}

/** Runs openssl and returns what it prints. Throws if openssl fails. */
export function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** A TLS host of these certificates, for clients that name no host. */
export function hostWith(...pairs: readonly Pair[]): { names: string[]; certificates: readonly Pair[] } {
  return { names: [], certificates: pairs };
}
