import type { HeaderList, Peer, Request } from '../http/message.ts';
import { newRecord } from '../http/request-record.ts';

const NOBODY: Peer = { remoteAddress: '', remotePort: 0, listener: 0, secure: false, serverPort: '' };

/** Creates a request of the server itself, without content. `path` may contain a query. */
export function internalRequest(method: string, path: string, headers: HeaderList): Request {
  const query = path.indexOf('?');
  const host = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  return {
    method,
    path: query < 0 ? path : path.slice(0, query),
    query: query < 0 ? '' : path.slice(query + 1),
    protocol: 'HTTP/1.1',
    headers,
    headersRepeat: true,
    headerCacheId: 0,
    scriptName: '',
    host: host < 0 ? '' : (headers[host + 1] as string),
    body: null,
    peer: NOBODY,
    upgrades: false,
    record: newRecord(),
    gone: false,
    onGone: null,
    sendInterim() {},
  };
}
