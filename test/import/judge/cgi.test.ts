import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { askBoth } from './ask-both.ts';
import type { RealResponse } from './ask-nginx.ts';
import { type CgiProtocol, startCgiStub } from './cgi-stubs.ts';
import { type Place, preparePlace } from './place.ts';

/** Variables that a configuration adds, for each protocol. */
const ADDED = [
  ...['MY_PATH $document_uri', 'MY_ARG "<$arg_a>"', 'MY_FIELD $http_x_a', 'MY_COOKIE $cookie_c', 'MY_HOST $host'],
  ...['MY_URL $scheme://$http_host$request_uri', 'MY_FILE $document_root$uri', 'MY_CONSTANT "a b"', 'MY_MAP $kind'],
  ...['HTTP_X_CLAIMED $remote_addr', 'MY_USER $http_x_a', 'MY_METHOD $request_method', 'MY_SET $assigned'],
];

const TARGETS = ['/a/b%20c/%C3%A9?a=1&b', '/a/x?a=', '/', '//a/%61'];

/** What nginx's own files of variables name. Viaduct sends its own name, and applications do not read the rest. */
const OWN =
  /^(?:SERVER_SOFTWARE|DOCUMENT_(?:ROOT|URI)|REDIRECT_STATUS|SERVER_ADDR|HTTP_CONNECTION|SCGI|CONTENT_(?:LENGTH|TYPE)|REMOTE_PORT)$/;

describe('backends over CGI protocols', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let place: Place;

  before(async () => {
    place = await preparePlace(suite);
  });

  for (const protocol of ['uwsgi', 'scgi', 'fastcgi'] as const satisfies readonly CgiProtocol[]) {
    it(`get the variables over ${protocol} that nginx sends`, async () => {
      const address = await startCgiStub(suite, protocol);
      const [port] = place.ports;
      const lines = ADDED.map((one) => `${protocol}_param ${one};`).join('\n');
      const scriptFile =
        protocol === 'fastcgi' ? 'fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;' : '';
      const http = `map $http_x_a $kind { default other; yes known; }
        server { listen 127.0.0.1:${port}; server_name example.org; root /srv/site;
          location / { set $assigned "s$arg_a"; include /etc/nginx/${protocol}_params; ${lines} ${scriptFile} ${protocol}_pass ${address}; } }\n`;
      const probes = TARGETS.map((target) => probeOf(target, port));
      const { nginx, viaduct, report } = await askBoth(suite, http, probes, place);
      assert.deepEqual(report, []);
      for (const [index, target] of TARGETS.entries()) {
        const [wanted, got] = [variablesOf(nginx[index] ?? null), variablesOf(viaduct[index] ?? null)];
        const same = Object.fromEntries(Object.keys(wanted).map((name) => [name, got[name] ?? '']));
        assert.deepEqual(same, wanted, target);
        assert.ok(Object.keys(wanted).length > ADDED.length);
      }
    });
  }
});

function variablesOf(response: RealResponse | null): Record<string, string> {
  const all = JSON.parse(response?.body.toString('latin1') ?? '{}') as Record<string, string>;
  const kept = Object.entries(all).filter(([name]) => !OWN.test(name));
  // Debian's variables for uwsgi and SCGI take the port away; applications need it for their links
  const plain = (name: string, value: string): string => {
    if (name === 'HTTP_HOST') return value.replace(/:\d+$/, '');
    // for applications Viaduct keeps doubled slashes, as gunicorn does
    return name === 'PATH_INFO' ? value.replace(/\/{2,}/g, '/') : value;
  };
  return Object.fromEntries(kept.map(([name, value]) => [name, plain(name, value)]));
}

function probeOf(target: string, port: number): Probe {
  const fields = [
    ['Host', `example.org:${port}`],
    ['X-A', 'yes'],
    ['X-Claimed', 'claimed'],
    ['Cookie', 'c=d e'],
  ] as const;
  return {
    ...{ address: `127.0.0.1:${port}`, secure: false, client: '127.0.0.1', authorized: false, method: 'GET' },
    ...{ target, fields },
  };
}
