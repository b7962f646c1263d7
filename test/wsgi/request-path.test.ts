import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { RequestParams } from '../../src/proxy/cgi/request-params.ts';
import { writeTarget } from '../../src/workers/environ.ts';
import type { MarshalWriter, Name } from '../../src/workers/marshal.ts';
import { EnvironBuilder } from '../../src/wsgi/environ-builder.ts';
import { errorStream } from '../../src/wsgi/error-stream.ts';
import { requestOf } from '../support/handler.ts';

type Variables = Readonly<Record<string, string>>;

const BACKEND = 'a backend over a CGI protocol';

/** Everybody who says to an application what its path is. */
const WRITERS: Readonly<Record<string, (request: Request) => Variables>> = {
  'a Python worker': ofWorker,
  'an application in TypeScript': ofTypeScript,
  [BACKEND]: ofBackend,
};

/** Path and script name as received, then SCRIPT_NAME, PATH_INFO and REQUEST_URI. */
const CASES: readonly (readonly [path: string, script: string, SCRIPT_NAME: string, PATH_INFO: string])[] = [
  ['/', '', '', '/'],
  ['/a/b', '', '', '/a/b'],
  ['*', '', '', ''],
  ['/a%2Fb', '', '', '/a/b'],
  ['/%C3%A9', '', '', '/\xc3\xa9'],
  ['/100%', '', '', '/100%'],
  ['/a%2', '', '', '/a%2'],
  ['/app/x', '/app', '/app', '/x'],
  ['/app', '/app', '/app', ''],
  ['/a%70p/%78', '/a%70p', '/app', '/x'],
  ['/a%70p/x', '/a%70p', '/app', '/x'],
];

for (const [name, variablesOf] of Object.entries(WRITERS)) {
  describe(`the path that ${name} gets`, () => {
    for (const received of ['/a?', 'http://a.example/a?', '/a<b>?']) {
      it(`is followed by the question mark of an empty query when the target is ${received}`, () => {
        const path = received.replace('http://a.example', '').replace('?', '').replace('<b>', '%3Cb%3E');
        const { REQUEST_URI, RAW_URI, QUERY_STRING } = variablesOf(requestOf({ path, query: '', received }));
        const expected = name === BACKEND ? [`${path}?`, undefined] : [received, received];
        assert.deepEqual([REQUEST_URI, RAW_URI, QUERY_STRING], [...expected, '']);
      });
    }

    for (const [path, scriptName, SCRIPT_NAME, PATH_INFO] of CASES) {
      it(`is ${JSON.stringify(PATH_INFO)} below ${JSON.stringify(SCRIPT_NAME)} when the target is ${path}?q`, () => {
        const variables = variablesOf(requestOf({ path, scriptName, query: 'q' }));
        assert.deepEqual(
          [variables.SCRIPT_NAME ?? '', variables.PATH_INFO, variables.REQUEST_URI, variables.QUERY_STRING],
          [SCRIPT_NAME, PATH_INFO, `${path}?q`, 'q'],
        );
      });
    }
  });
}

function ofWorker(request: Request): Variables {
  const written: string[] = [];
  const writer = {
    name: (name: Name) => written.push(Buffer.from(name.encoded.subarray(2)).toString('latin1')),
    text: (text: string) => written.push(text),
    first: (text: string) => written.push(text) - 1,
    again: (index: number) => written.push(written[index] as string),
  };
  writeTarget(writer as unknown as MarshalWriter, request, -1);
  return inPairs(written);
}

function ofTypeScript(request: Request): Variables {
  const builder = new EnvironBuilder({
    listeners: [],
    software: 'viaduct',
    multiprocess: false,
    errors: errorStream(() => {}),
  });
  const client = { gone: false, signal: new AbortController().signal };
  const { SCRIPT_NAME, PATH_INFO, REQUEST_URI, RAW_URI, QUERY_STRING } = builder
    .sectionOf(request)
    .environ(request, client, () => {});
  return { SCRIPT_NAME, PATH_INFO, REQUEST_URI, RAW_URI, QUERY_STRING };
}

function ofBackend(request: Request): Variables {
  const written: string[] = [];
  const params = new RequestParams({ forwarded: 'off', listenerPorts: [], params: [] }, (part) => {
    written.push(...part);
    return '';
  });
  params.write(request);
  return inPairs(written);
}

function inPairs(items: readonly string[]): Variables {
  return Object.fromEntries(items.flatMap((name, i) => (i % 2 === 0 ? [[name, items[i + 1] as string]] : [])));
}
