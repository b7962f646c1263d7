import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** For `{ skip: NO_OPENSSL }`: false when the program is there, otherwise what is missing. */
export const NO_OPENSSL = isThere('openssl', 'version') ? false : 'openssl is not installed';
export const NO_CURL = isThere('curl', '--version') ? false : 'curl is not installed';

function isThere(program: string, argument: string): boolean {
  return spawnSync(program, [argument], { stdio: 'ignore' }).status === 0;
}

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** An authority made with openssl in `directory`, and certificates that it issues. */
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

  /** `names` are DNS names for subjectAltName; the certificate's serial number is random. */
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

/** Runs openssl, throws when it fails. */
export function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
