/** The value of Host without its port, in lower case. An IPv6 address keeps its brackets (RFC 9110 section 7.2). */
export function hostname(host: string): string {
  const colon = host.lastIndexOf(':');
  return (colon < 0 || host.endsWith(']') ? host : host.slice(0, colon)).toLowerCase();
}
