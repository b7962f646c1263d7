// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { OneOrMore } from './values.ts';

/** Certificates of certain hosts. */
export interface TlsHostConfig {
  /**
   * Names that clients ask for (SNI). Takes a host name, *.NAME for all names below it, or an [address]. Default: the
   * names in the certificate.
   */
  readonly names?: OneOrMore<string> | undefined;
  /**
   * PEM file with the whole chain. Several files are for keys of different kinds, RSA and ECDSA. Takes the path of a
   * PEM file.
   */
  readonly certificate?: OneOrMore<string> | undefined;
  /**
   * Private keys, in the order of the certificates. Without one, the certificate's file holds the key. Takes the path
   * of a PEM file.
   */
  readonly key?: OneOrMore<string> | undefined;
  /** Passphrase of an encrypted key. Takes a passphrase. */
  readonly passphrase?: string | undefined;
}

/** Certificates for https. */
export interface TlsConfig {
  /**
   * PEM file with the whole chain. Several files are for keys of different kinds, RSA and ECDSA. Takes the path of a
   * PEM file.
   */
  readonly certificate?: OneOrMore<string> | undefined;
  /**
   * Private keys, in the order of the certificates. Without one, the certificate's file holds the key. Takes the path
   * of a PEM file.
   */
  readonly key?: OneOrMore<string> | undefined;
  /** Passphrase of an encrypted key. Takes a passphrase. */
  readonly passphrase?: string | undefined;
  /** Use a self-signed certificate for localhost (development only). Default: `false`. */
  readonly selfSigned?: boolean | undefined;
  /** Whether clients are asked for a certificate, and whether they must have one. Default: `'off'`. */
  readonly clientCertificates?: 'off' | 'optional' | 'required' | undefined;
  /**
   * Authorities whose client certificates are valid. Needed unless clientCertificates is off. Takes the path of a PEM
   * file.
   */
  readonly clientCa?: string | undefined;
  /** Whether HTTP/2 is offered beside HTTP/1.1. Default: `true`. */
  readonly http2?: boolean | undefined;
  /** Certificates of further hosts. */
  readonly host?: readonly TlsHostConfig[] | undefined;
}
