import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../../http/message.ts';

/** The certificate that the client presented in a finished handshake; null without one. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  return {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    serial: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    verified: socket.authorized,
  };
}

/** Node has a line for each part, already escaped, with the most general part first. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '').split('\n').reverse().join(',').replaceAll(' + ', '+');
}
