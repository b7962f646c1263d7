import type { Settings } from '../config/settings.ts';
import { CidrList } from '../http/semantics/cidr.ts';

/** The clients that may open the pages of the development: the value of the setting `dev_pages`. */
export type DevClients = Settings['devPages'];

/** A container's host is in a private network. */
const CLIENTS: Readonly<Record<DevClients, CidrList>> = {
  off: CidrList.parse([]),
  loopback: CidrList.parse(['loopback']),
  private: CidrList.parse(['loopback', 'private', '100.64.0.0/10', '169.254.0.0/16', 'fe80::/10']),
};

/** Whether a client at this numeric address ('' on a Unix socket) may open the pages of the development. */
export function opensDevPages(devPages: DevClients, address: string): boolean {
  return CLIENTS[devPages].matches(address);
}
