import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../../http/message.ts';

/** What the client of a finished handshake showed; null when it showed no certificate. */
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

/** Node has a line for each part, escaped already, the most general one first. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '').split('\n').reverse().join(',').replaceAll(' + ', '+');
}
