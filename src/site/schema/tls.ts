import { host } from './host.ts';
import { bool, listOf, oneOf, table, tables, words } from './tools.ts';

const pemFiles = listOf(words('the path of a PEM file'));

const certificates = {
  certificate: pemFiles
    .prefault([])
    .describe('PEM file with the whole chain. Several files are for keys of different kinds, RSA and ECDSA.'),
  key: pemFiles
    .prefault([])
    .describe("Private keys, in the order of the certificates. Without one, the certificate's file holds the key."),
  passphrase: words('a passphrase').optional().describe('Passphrase of an encrypted key.'),
};

/** Options of TLS. */
export const tls = table({
  ...certificates,
  self_signed: bool().default(false).describe('Use a self-signed certificate for localhost (development only).'),
  client_certificates: oneOf(['off', 'optional', 'required'])
    .default('off')
    .describe('Whether clients are asked for a certificate, and whether they must have one.'),
  client_ca: words('the path of a PEM file')
    .optional()
    .describe('Authorities whose client certificates are valid. Needed unless client_certificates is off.'),
  http2: bool().default(true).describe('Whether HTTP/2 is offered beside HTTP/1.1.'),
  host: tables({
    names: listOf(host).prefault([]).meta({
      description: 'Names that clients ask for (SNI).',
      defaultText: 'the names in the certificate',
    }),
    ...certificates,
  })
    .default([])
    .describe('Certificates of further hosts, each in a table [[tls.host]].'),
});
