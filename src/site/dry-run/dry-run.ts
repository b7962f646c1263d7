import type { Request, RequestRecord } from '../../http/message.ts';
import { isNoResponse } from '../../http/no-response.ts';
import { Response } from '../../http/response.ts';
import { asSent } from '../../http/response-fields.ts';
import { refusalResponse } from '../../http/semantics/refusal-response.ts';
import { toPromise } from '../../http/to-promise.ts';
import { NO_ARRIVAL } from '../../http/transport/server-context.ts';
import type { LineSink } from '../../log/access-log.ts';
import type { Log } from '../../log/log.ts';
import { recordingClients, type SentRequest } from '../../proxy/recording-client.ts';
import { type BuiltSite, buildSite } from '../build.ts';
import { ClientRules } from '../client-rules.ts';
import { type Configuration, NOWHERE } from '../configuration.ts';
import type { Site } from '../schema/site.ts';
import { detached } from './detached-site.ts';
import type { DiskImage } from './disk-image.ts';
import { type DryAnswer, readAnswer } from './dry-answer.ts';
import { type DryListener, listenerFor, listenersOf } from './dry-listeners.ts';
import { type DryRequest, isRefusal, readRequest } from './dry-request.ts';

/**
 * The site of a configuration that answers requests without a network: nothing listens, backends and services get nothing, and files come
 * from a disk image. Everything between, from the head of a request to the fields of its response, is the chain of a server.
 */
export class DryRun {
  readonly #disk: DiskImage;
  readonly #rules: ClientRules;
  readonly #site: BuiltSite;
  readonly #listeners: readonly DryListener[];
  /** What backends got of requests, by their records. */
  readonly #sent = new WeakMap<RequestRecord, SentRequest>();
  readonly #refused = new WeakSet<RequestRecord>();
  #isAuthorized = false;

  /** @throws ViaductError `SETTINGS` with all errors of the configuration, one per line */
  constructor(configuration: Configuration & { readonly site: Site }, disk: DiskImage) {
    const { settings, bases } = configuration;
    const baseOf = (key: string): string => bases[key] ?? '';
    const site = detached(configuration.site, disk, baseOf);
    this.#disk = disk;
    this.#listeners = listenersOf(settings);
    this.#rules = new ClientRules({ ...configuration, site }, SILENT, UNREAD);
    this.#site = buildSite(site, {
      locate: NOWHERE,
      baseOf,
      application: () => null,
      filesOf: () => [],
      main: null,
      dev: true,
      staticCacheBytesMax: 0,
      bodyBytesMax: settings.bodyBytesMax,
      listeners: this.#listeners.map(({ environ }) => environ),
      addresses: settings.listen,
      log: SILENT,
      onRefused: (_refusal, { record }) => this.#refused.add(record),
      onError() {},
      overrides: new Map(),
      discovered: new Map(),
      disk,
      createClient: recordingClients((request, sent) => this.#answerFor(request, sent)),
    });
  }

  /** What becomes of a request; null if it gets no response, as where nothing listens at its address with its scheme. Requests at the same time are all authorized, or none is. */
  async ask(asked: DryRequest): Promise<DryAnswer | null> {
    const { address, secure } = asked;
    const listener = listenerFor(this.#listeners, address);
    if (this.#listeners[listener]?.secure !== secure) return null;
    const request = readRequest(asked, listener);
    if (isRefusal(request))
      return { ...readAnswer(refusalResponse(request), null, this.#disk), route: '', isRefused: true };
    this.#isAuthorized = asked.authorized;
    const shown = this.#rules.receive(request, NO_ARRIVAL);
    const response = asSent(await toPromise(this.#site.handle(shown)));
    if (isNoResponse(response)) return null;
    const { record } = shown;
    const answer = readAnswer(response, this.#sentOf(shown), this.#disk);
    return { ...answer, route: record.route, isRefused: this.#refused.has(record) };
  }

  destroy(): void {
    this.#site.destroy();
  }

  /** The answer of a backend, or of a service for authentication, whose question is a request of its own. */
  #answerFor(request: Request, sent: SentRequest): Response {
    if (request.peer.remotePort === 0) return Response.fromHeaders(this.#isAuthorized ? 204 : 401, [], null);
    this.#sent.set(request.record, sent);
    return Response.fromHeaders(200, [], null);
  }

  #sentOf({ record }: Request): DryAnswer['sent'] {
    const sent = this.#sent.get(record);
    if (sent === undefined) return null;
    this.#sent.delete(record);
    const all = this.#site.proxies.get(record.route)?.status() ?? [];
    const primary = all.filter(({ backup }) => !backup);
    return { ...sent, backends: (primary.length > 0 ? primary : all).map(({ name }) => name) };
  }
}

const UNREAD: LineSink = { write: () => true, once() {} };
const SILENT: Log = { info() {}, warn() {}, error() {} };
