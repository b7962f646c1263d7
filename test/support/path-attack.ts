import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CgiProtocol } from '../../src/listen/address.ts';
import { encodeRequest, variablesOf } from './cgi-frames.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  request,
} from './http2-frames.ts';
import type { Lifetime } from './lifetime.ts';
import { type Spelling, spellings } from './path-spellings.ts';
import { makeProject } from './project.ts';
import { SocketClient } from './socket-client.ts';
import { PYTHON_WITH_PACKAGES, ROOT, startViaduct, type Viaduct } from './viaduct.ts';

const CGI_PROTOCOLS = ['uwsgi', 'fastcgi', 'scgi'] as const satisfies readonly CgiProtocol[];
export type AttackProtocol = 'HTTP/1.1' | 'HTTP/2' | CgiProtocol;
export const ATTACK_PROTOCOLS: readonly AttackProtocol[] = ['HTTP/1.1', 'HTTP/2', ...CGI_PROTOCOLS];

/** A request that got round the route that protects its path. */
export interface Finding {
  readonly protocol: AttackProtocol;
  readonly spelling: Spelling;
  /** What the application says about it, or the content that leaked. */
  readonly answer: string;
}

export interface AttackResult {
  readonly findings: readonly Finding[];
  /** How many requests reached the application. */
  readonly reached: number;
}

/** Each kind of route that matches a path, and each feature that keeps requests away. All of them refuse everybody. */
function configuration(service: string): string {
  const deny = 'access = { allow = "192.0.2.1" }';
  const routes: readonly (readonly [match: string, rule: string])[] = [
    ['path = "/admin/*"', deny],
    ['path = "/login"', `basic_auth = { users = { jane = "$5$salt$${'a'.repeat(43)}" } }`],
    ['path = "/privé/*"', `forward_auth = { url = "${service}" }`],
    ['path = "/über/ß/*"', deny],
    ['path = "/closed/*"', 'maintenance = { enabled = true }'],
    ['path = "/limited/*"', 'rate_limit = { rate = "1/h", burst = 1 }'],
    ['path = "/busy/*"', `forward_auth = { url = "${service}" }\nrequest_limit = { max = 1 }`],
    ['mount = "/mnt"\napp = "main"', deny],
    ['path = "/area/*"', deny],
    ['path = "/area/public/*"', ''],
    ['path = "/100%25/*"', deny],
    ['path = "/orders/*"\nmethods = "POST"', deny],
    ['path = "/orders/*"', ''],
    ['path = "/tools/*"\nmatch_headers = { X-Secret = "*" }', deny],
    ['path = "/tools/*"\nmatch_query = { debug = "1" }', deny],
    ['path = "/"', deny],
    ['path = "/shop/"', deny],
    ['mount = "/shop"\napp = "main"', ''],
    ['host = "admin.example.org"', deny],
    ['host = ["127.0.0.1", "localhost"]', deny],
    ['host = "strict.example.org"', deny],
    ['host = "strict.example.org"\npath = "/open/*"', ''],
    ["path_pattern = '^/secret/[^/]+$'", deny],
    ["path_pattern = '^/user/\\d+$'", deny],
    ["path_pattern = '^/word/\\w+$'", deny],
    ["path_pattern = '^/letters/[^\\W\\d_]+$'", deny],
    ["path_pattern = '^/text/\\S+$'", deny],
    ["path_pattern = '^/one/.$'", deny],
    ["path_pattern = '^/any/.+$'", deny],
    ["path_pattern = '^/not/[^a-z/]\\D$'", deny],
    ['path = "/internal/*"\ninternal = true', `respond = { body = "${LEAK}" }`],
    ['path = "/files/*"\nstatic = "."', deny],
    ['path = "/assets/*"\nstatic = "public"', ''],
  ];
  return routes.map(([match, rule]) => `[[route]]\n${match}\n${rule}\n`).join('\n');
}

/** The content that no client may get. */
const LEAK = 'kept from everybody';

/** The program with `test/support/path_views.py` behind a route for each kind of protection. */
export class PathAttack {
  readonly #server: Viaduct;
  readonly #sockets: Readonly<Record<CgiProtocol, string>>;

  private constructor(server: Viaduct, sockets: Readonly<Record<CgiProtocol, string>>) {
    this.#server = server;
    this.#sockets = sockets;
  }

  static async start(t: Lifetime): Promise<PathAttack> {
    const service = createServer((_, response) => response.writeHead(401).end()).listen(0, '127.0.0.1');
    t.after(() => void service.close());
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const project = makeProject(t, { 'public/a.txt': 'a', 'secret.txt': LEAK });
    writeFileSync(join(project, 'viaduct.toml'), configuration(`http://127.0.0.1:${port}/`));
    const sockets = { uwsgi: join(project, 'u'), fastcgi: join(project, 'f'), scgi: join(project, 's') };
    const listen = ['127.0.0.1:0', ...CGI_PROTOCOLS.map((name) => `${name}://unix:${sockets[name]}`)].join(',');
    const flags = {
      chdir: join(ROOT, 'test/support'),
      python: PYTHON_WITH_PACKAGES ?? '',
      config: join(project, 'viaduct.toml'),
    };
    const args = ['serve', 'path_views:application', '--workers', '1', '--access-log', 'off'];
    const named = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const attack = new PathAttack(await startViaduct(t, [...args, ...named], { listen }), sockets);
    const first = { method: 'GET', target: '/limited/', host: 'test.example', fields: [] };
    for (const protocol of ['HTTP/1.1', 'uwsgi'] as const) await attack.#send(protocol, [first]); // uses up the rate
    return attack;
  }

  /** Sends `count` spellings over `protocol`. A finding is one that an application would protect and yet got. */
  async run(protocol: AttackProtocol, seed: number, count: number): Promise<AttackResult> {
    const findings: Finding[] = [];
    let reached = 0;
    const waiting = [...spellings(seed, count)];
    const client = async (): Promise<void> => {
      for (let batch = waiting.splice(0, BATCH); batch.length > 0; batch = waiting.splice(0, BATCH)) {
        for (const [at, answer] of (await this.#send(protocol, batch)).entries()) {
          const content = /\{"needed": \[(?<needed>.*?)\].*/.exec(answer);
          if (content !== null) reached += 1;
          const leaked = answer.includes(LEAK) ? LEAK : content?.groups?.needed === '' ? '' : (content?.[0] ?? '');
          if (leaked !== '') findings.push({ protocol, spelling: batch[at] as Spelling, answer: leaked });
        }
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return { findings, reached };
  }

  /** The answers to `batch`: all that the server sent for each request, '' if it sent nothing. */
  async #send(protocol: AttackProtocol, batch: readonly Spelling[]): Promise<readonly string[]> {
    if (protocol === 'HTTP/2') return this.#overHttp2(batch);
    const answers: string[] = [];
    for (const spelling of batch)
      answers.push(await (protocol === 'HTTP/1.1' ? this.#overHttp1(spelling) : this.#overCgi(protocol, spelling)));
    return answers;
  }

  async #overHttp1({ method, target, host, fields: more }: Spelling): Promise<string> {
    const own = host === null ? [] : [['Host', host]];
    const lines = [...own, ...more, ['Connection', 'close']].map(([name, value]) => `${name}: ${value}\r\n`);
    const version = host === null ? 'HTTP/1.0' : 'HTTP/1.1';
    return exchange(this.#server.port, `${method} ${target} ${version}\r\n${lines.join('')}\r\n`);
  }

  /** What a front-end proxy makes of the request: decoded variables, and the target as it came. */
  async #overCgi(protocol: CgiProtocol, { method, target, host, fields: more }: Spelling): Promise<string> {
    const [path = '', query = ''] = target.replace(/^\w+:\/\/[^/]*/, '').split(/\?(.*)/s);
    const variables = variablesOf({
      REQUEST_METHOD: method,
      REQUEST_URI: path.length % 2 === 0 ? null : target,
      PATH_INFO: path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      ),
      QUERY_STRING: query,
      HTTP_HOST: host,
      ...Object.fromEntries(more.map(([name, value]) => [`HTTP_${name.toUpperCase().replace('-', '_')}`, value])),
    });
    return exchange(this.#sockets[protocol], encodeRequest(protocol, variables));
  }

  /** The answers to `batch` on one connection. If a request ends the connection, each is sent on its own. */
  async #overHttp2(batch: readonly Spelling[]): Promise<readonly string[]> {
    const client = await FrameClient.open(this.#server.port);
    const idOf = (at: number): number => 2 * at + 1;
    client.send(...batch.map((spelling, at) => request(idOf(at), fieldsOf(spelling), END_HEADERS | END_STREAM)));
    const over = new Set<number>();
    try {
      await client.until('all answers', ({ type, flags, id }) => {
        if (type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0)) over.add(id);
        return type === GOAWAY || over.size === batch.length;
      });
    } catch {
      // The connection ended without a GOAWAY.
    } finally {
      client.close();
    }
    const answers = batch.map((_, at) =>
      Buffer.concat(
        client.frames.filter(({ type, id }) => type === DATA && id === idOf(at)).map(({ payload }) => payload),
      ).toString('latin1'),
    );
    if (over.size === batch.length || batch.length === 1) return answers;
    const alone: string[] = [];
    for (const spelling of batch) alone.push(...(await this.#overHttp2([spelling])));
    return alone;
  }
}

const CLIENTS = 16;
/** Requests on one connection of HTTP/2. */
const BATCH = 8;

async function exchange(address: number | string, octets: string): Promise<string> {
  const client = await SocketClient.open(address);
  client.send(octets);
  await client.untilClosed();
  return client.received;
}

function fieldsOf({ method, target, host, fields: more }: Spelling): readonly (readonly [string, string])[] {
  const [, authority = host ?? undefined, path = target] = /^\w+:\/\/([^/]*)(.*)$/s.exec(target) ?? [];
  const lower = more.map(([name, value]) => [name.toLowerCase(), value] as const);
  return fields({ ':method': method, ':path': path, ':authority': authority }, lower);
}
