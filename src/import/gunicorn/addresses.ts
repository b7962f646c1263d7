import type { Statement } from '../import-report.ts';
import { setSetting, type WsgiContext } from '../wsgi-config-builder.ts';

export function writeBind(value: unknown, from: Statement, context: WsgiContext): void {
  const addresses = (Array.isArray(value) ? value : String(value).split(',')).map((one) =>
    addressOf(String(one).trim()),
  );
  setSetting('listen', addresses, from, context);
}

/** An address. Without a port, gunicorn uses 8000. */
export function addressOf(bind: string): string {
  const plain = bind.replace(/^(?:tcp|http):\/\//, '').replace(/^fd:\/\//, 'fd:');
  if (/^(?:unix:|fd:)/.test(plain)) return plain.replace(/^unix:\/\//, 'unix:');
  if (/^(?:\d+|\$\w*PORT)$/.test(plain)) return `0.0.0.0:${plain}`;
  if (plain.startsWith(':')) return `0.0.0.0${plain}`;
  return /:(?:\d+|\$\w+)$/.test(plain) ? plain : `${plain}:8000`;
}

/** gunicorn also serves connections without the header of the PROXY protocol. */
export function writeProxyProtocol(value: unknown, from: Statement, context: WsgiContext): void {
  if (value === false || value === 'off') {
    context.report.needless(from, 'this is the default');
    return;
  }
  changeAddresses((one) => `${one}?proxy_protocol=on`, from, context);
  context.report.differs(from, 'connections without the header of the PROXY protocol are closed');
}

export function writeProtocol(value: unknown, from: Statement, context: WsgiContext): void {
  if (value === 'uwsgi') changeAddresses((one) => `uwsgi://${one}`, from, context);
  else if (value === 'http') context.report.needless(from, 'this is the default');
  else context.report.lost(from, 'it is neither http nor uwsgi');
}

function changeAddresses(change: (address: string) => string, from: Statement, { builder, report }: WsgiContext): void {
  const listen = builder.values.get('listen');
  const addresses = (listen?.value ?? ['127.0.0.1:8000']) as readonly string[];
  report.took(from);
  builder.set('listen', addresses.map(change), ...(listen?.from ?? []), from);
}
