import type { Probe } from './outcome.ts';

/** How the targets of two redirects differ for the client of `probe`: by scheme or host, by the rest, or not. */
export function targetDifference(before: string, now: string, probe: Probe): 'host' | 'path' | null {
  const [one, other] = [resolved(before, probe), resolved(now, probe)];
  if (one === null || other === null) return before === now ? null : 'path';
  if (one.protocol !== other.protocol || one.host !== other.host) return 'host';
  return one.pathname + one.search === other.pathname + other.search ? null : 'path';
}

/** A target as the client resolves it. The port of the listener counts as the port that the client asked for. */
function resolved(target: string, { address, secure, fields, target: asked }: Probe): URL | null {
  const host = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? 'localhost';
  const base = `${secure ? 'https' : 'http'}://${host}${asked.startsWith('/') ? asked : '/'}`;
  if (!URL.canParse(target, base)) return null;
  const url = new URL(target, base);
  const listening = /:(\d+)$/.exec(address)?.[1] ?? '';
  if (url.port === listening) url.port = '';
  return url;
}
