// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { WorkersConfig } from './site.ts';
import type { Bytes, Duration, MiddlewareConfig, OneOrMore } from './values.ts';

/** Settings of any server. */
export interface ServerSettings {
  /**
   * Directory or file of the project, or the application in it. MODULE:FACTORY() calls a factory.
   *
   * Takes a PATH or MODULE:CALLABLE. Default: the application found in the current directory. Frameworks put
   * manage.py, wsgi.py and app.py in known places.
   */
  readonly target?: string | undefined;
  /**
   * Directory of the project.
   *
   * Takes the path of a directory. Default: the current directory. Most people start a server in the directory of its
   * project.
   */
  readonly chdir?: string | undefined;
  /**
   * Interpreter or virtual environment that runs the application.
   *
   * Takes the path of an interpreter or of a virtual environment. Default: the project's virtual environment, or else
   * python3. A project is usually installed in the virtual environment next to it.
   */
  readonly python?: string | undefined;
  /**
   * Serve the files in DIR below /url/.
   *
   * Takes /url/=DIR. Default: none. Viaduct finds Django's STATIC_URL and STATIC_ROOT without this setting.
   */
  readonly static?: Readonly<Record<string, string>> | readonly string[] | undefined;
  /**
   * Middleware around the application, the outermost first. In files also with options.
   *
   * Takes MODULE:NAME in Python, ./FILE.ts or ./FILE.ts#EXPORT, or viaduct:NAME. Default: none. An application brings
   * the middleware that it needs. More of it depends on where the application is served.
   */
  readonly middleware?: OneOrMore<MiddlewareConfig> | undefined;
  /**
   * In development, clients for whom the server itself shows the pages about requests at /__viaduct/: those on this
   * machine, those in private networks as well, or none (off).
   *
   * Takes loopback, private or off. Default: loopback. The pages show requests with their data. In a container, the
   * browser is in another network: private.
   */
  readonly devPages?: 'loopback' | 'private' | 'off' | undefined;
  /**
   * Send the metrics by OTLP over HTTP to this URL, such as http://127.0.0.1:4318/v1/metrics. It needs packages of
   * OpenTelemetry.
   *
   * Takes a text. Default: metrics are not sent. Most sites that measure let Prometheus ask: see admin.
   */
  readonly otlpUrl?: string | undefined;
  /**
   * Send the traces that are kept by OTLP over HTTP to this URL, such as http://127.0.0.1:4318/v1/traces. It needs
   * packages of OpenTelemetry.
   *
   * Takes a text. Default: traces are not sent. Most people look at traces on the pages of the server.
   */
  readonly otlpTracesUrl?: string | undefined;
  /**
   * Time between two times that the metrics are sent by OTLP.
   *
   * Takes a time from 1s to 1h, such as 500ms or 30s. Default: 60s. It is the default of OpenTelemetry.
   */
  readonly otlpIntervalMs?: Duration | undefined;
  /**
   * Address to listen on: 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME. Put https:// before it for
   * TLS, or uwsgi://, fastcgi:// or scgi://.
   *
   * Takes 8000, HOST:PORT, [::1]:PORT, unix:PATH, fd:3 or systemd:NAME, or one of them behind https://, uwsgi://,
   * fastcgi:// or scgi://. Default: the sockets that systemd passes, or else 127.0.0.1:8000. Without a setting, only
   * this machine can connect.
   */
  readonly listen?: OneOrMore<string | number> | undefined;
  /**
   * Front-end proxies whose fields (headers) about the client are used, by address or range.
   *
   * Takes an address, a range such as 10.0.0.0/8, loopback, private, unix or all. Default: loopback, unix. A proxy on
   * this machine belongs to the same people. Anybody else could claim any address.
   */
  readonly trustedProxies?: OneOrMore<string> | undefined;
  /**
   * Serve HTTPS with a self-signed certificate (development only).
   *
   * Takes true or false. Default: no. Browsers do not trust such a certificate. Real certificates belong in `tls`.
   */
  readonly tlsSelfSigned?: boolean | undefined;
  /**
   * Python processes that run the application.
   *
   * Takes a whole number from 1 to 256. Default: the number of processor cores, or less if a container has a CPU
   * limit. One interpreter uses one core.
   */
  readonly workers?: number | WorkersConfig | undefined;
  /**
   * Threads in each worker.
   *
   * Takes a whole number from 1 to 64. Default: 4. Four threads keep a worker busy while some views wait for
   * databases and networks. Short views are not spread over threads anyway.
   */
  readonly threads?: number | undefined;
  /**
   * Import the application once and fork the workers from this process. --no-preload imports it in each worker.
   *
   * Takes true or false. Default: yes on Linux if the application can be forked, no elsewhere. Forked workers share
   * memory and start in milliseconds. On macOS, system libraries do not survive a fork. If nobody wrote this setting,
   * an application whose import leaves threads, connections or locked files is imported in each worker instead.
   */
  readonly preload?: boolean | undefined;
  /**
   * Command that starts the interpreter of the application, such as opentelemetry-instrument or ddtrace-run, with its
   * arguments.
   *
   * Takes a program, with its arguments. Default: none. Only tools that watch an application from its start have to
   * start it themselves.
   */
  readonly wrap?: string | undefined;
  /**
   * Variables of the process that each request's environ contains. NAME* means all that start so.
   *
   * Takes the name of a variable, such as LANG, or the start of names and an asterisk, such as APP_*. Default: none.
   * Error pages and error mails show the environ, and variables hold passwords. os.environ has all of them anyway.
   */
  readonly environVariables?: OneOrMore<string> | undefined;
  /**
   * Development mode: show tracebacks as pages, serve static and media files without collectstatic, reload when a
   * file changes.
   *
   * Takes true or false. Default: no. A traceback shows strangers too much.
   */
  readonly dev?: boolean | undefined;
  /**
   * Clients for whom the server itself answers /-/live and /-/ready: those on this machine and in private networks,
   * all, or none (off).
   *
   * Takes private, all or off. Default: private. Load balancers are near. Strangers need not know how busy a server
   * is, and an application may have such paths.
   */
  readonly probes?: 'private' | 'all' | 'off' | undefined;
  /**
   * Time for which a stopping server still accepts requests, while /-/ready answers 503.
   *
   * Takes a time from 0s to 600s, such as 500ms or 30s. Default: 0s. Without a load balancer, nobody needs to learn
   * that the server stops.
   */
  readonly drainDelayMs?: Duration | undefined;
  /**
   * Time for running requests to finish when the server stops.
   *
   * Takes a time from 0s to 1h, such as 500ms or 30s. Default: 30s. Service managers wait at least as long before
   * they kill a service.
   */
  readonly gracefulTimeoutMs?: Duration | undefined;
  /**
   * Format of the access log.
   *
   * Takes off, text, json or combined. Default: text in a terminal, json elsewhere. People read a terminal. Programs
   * read everything else.
   */
  readonly accessLog?: 'off' | 'text' | 'json' | 'combined' | undefined;
  /**
   * A line of the access log with the directives of Apache (%h) or gunicorn (%(h)s), instead of accessLog's format.
   *
   * Takes a text. Default: the format of accessLog. The formats with names have what most programs read.
   */
  readonly accessLogFormat?: string | undefined;
  /**
   * The application gets each request's id as viaduct.requestId, and Python's log records have it as requestId.
   *
   * Takes true or false. Default: no. Few applications need it, and it takes time in each request.
   */
  readonly requestId?: boolean | undefined;
  /**
   * The application gets how long a request waited for a worker: viaduct.queue_ms, and X-Request-Start for agents.
   *
   * Takes true or false. Default: no. The access log has it anyway.
   */
  readonly queueTime?: boolean | undefined;
  /**
   * What Python code prints while it runs a request goes to the server's log, with the request's id.
   *
   * Takes true or false. Default: no. Programs that read what the application prints find it unchanged.
   */
  readonly captureOutput?: boolean | undefined;
  /**
   * Open client connections. Further connections are closed at once.
   *
   * Takes a whole number from 1 to 1000000. Default: 20000. An idle connection costs under 6 KB: about 120 MB at the
   * limit.
   */
  readonly connectionsMax?: number | undefined;
  /**
   * Open connections of one client address (for IPv6, one /64). Trusted proxies have no limit. 0: no limit.
   *
   * Takes a whole number from 0 to 1000000. Default: no limit. Many people can share one address.
   */
  readonly connectionsPerAddressMax?: number | undefined;
  /**
   * Memory for content (bodies) that waits for slow clients, workers or backends. Further content goes to files.
   *
   * Takes a size from 1MiB to 1024GiB, such as 65536 or 64KiB. Default: 256MiB. Sixteen of the longest responses that
   * a worker need not wait for, or a thousand forms.
   */
  readonly contentMemoryBytesMax?: Bytes | undefined;
  /**
   * Length of a request line; then 414.
   *
   * Takes a size from 64 to 1MiB, such as 65536 or 64KiB. Default: 8KiB. RFC 9112 section 3 recommends at least 8000
   * bytes.
   */
  readonly requestLineBytesMax?: Bytes | undefined;
  /**
   * Length of all header lines of a request; then 431.
   *
   * Takes a size from 256 to 4MiB, such as 65536 or 64KiB. Default: 32KiB. Browsers with full cookies send half of
   * it.
   */
  readonly headerBytesMax?: Bytes | undefined;
  /**
   * Header lines of a request; then 431.
   *
   * Takes a whole number from 1 to 10000. Default: 100. Browsers send about twenty.
   */
  readonly headerCountMax?: number | undefined;
  /**
   * Length of the content (the body) of a request; then 413.
   *
   * Takes a size from 0 to 1024GiB, such as 65536 or 64KiB. Default: 1GiB. Uploads wait on disk, not in memory. The
   * application has limits of its own.
   */
  readonly bodyBytesMax?: Bytes | undefined;
  /**
   * Length of all chunk extensions of a request; then 400.
   *
   * Takes a size from 0 to 1MiB, such as 65536 or 64KiB. Default: 4KiB. Only attackers use them.
   */
  readonly chunkExtensionBytesMax?: Bytes | undefined;
  /**
   * Length of all trailer lines of a request; then 431.
   *
   * Takes a size from 0 to 1MiB, such as 65536 or 64KiB. Default: 8KiB. Trailers hold a few checksums.
   */
  readonly trailerBytesMax?: Bytes | undefined;
  /**
   * Time for a request's head to arrive; then 408.
   *
   * Takes a time from 50ms to 1h, such as 500ms or 30s. Default: 15s. A head fits into one packet, and the slowest
   * phone needs seconds.
   */
  readonly headerTimeoutMs?: Duration | undefined;
  /**
   * Time in which none of a request's content (body) arrives; then 408.
   *
   * Takes a time from 50ms to 1h, such as 500ms or 30s. Default: 30s. A train can pass a tunnel in this time.
   */
  readonly bodyTimeoutMs?: Duration | undefined;
  /**
   * Bytes per second of a request's content. Slower clients use up bodyTimeoutMs. 0: any byte restores all of this
   * time.
   *
   * Takes a size from 0 to 1GiB, such as 65536 or 64KiB. Default: 240. Kestrel has the same default. A modem of 1995
   * is ten times as fast.
   */
  readonly bodyRateBytesMin?: Bytes | undefined;
  /**
   * Time for which an idle connection stays open.
   *
   * Takes a time from 50ms to 1h, such as 500ms or 30s. Default: 75s. nginx has the same default. Load balancers
   * before a server usually close earlier, after 60 seconds.
   */
  readonly keepAliveTimeoutMs?: Duration | undefined;
  /**
   * Time in which a client takes nothing of a response. Then the connection is closed.
   *
   * Takes a time from 50ms to 1h, such as 500ms or 30s. Default: 60s. nginx's send_timeout has the same default.
   */
  readonly writeTimeoutMs?: Duration | undefined;
  /**
   * Bytes per second of a response that a client takes. Slower clients use up writeTimeoutMs. 0: any byte restores
   * all of this time.
   *
   * Takes a size from 0 to 1GiB, such as 65536 or 64KiB. Default: 240. Kestrel and IIS have the same default.
   */
  readonly writeRateBytesMin?: Bytes | undefined;
  /**
   * Requests at a time on one connection of HTTP/2. Further ones are refused.
   *
   * Takes a whole number from 1 to 10000. Default: 128. Browsers have up to 100.
   */
  readonly http2StreamsMax?: number | undefined;
  /**
   * Requests of one HTTP/2 connection that are given up at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 1000000. Default: 400. A browser gives up the requests of a page when its user
   * goes to another one.
   */
  readonly http2ResetsMax?: number | undefined;
  /**
   * PING frames of one HTTP/2 connection at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 1000000. Default: 100. Clients send one now and then. Each 64 bytes that a client
   * gets allow it one more.
   */
  readonly http2PingsMax?: number | undefined;
  /**
   * SETTINGS frames of one HTTP/2 connection at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 1000000. Default: 50. Clients send one or two.
   */
  readonly http2SettingsMax?: number | undefined;
  /**
   * Frames with priorities of one HTTP/2 connection at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 1000000. Default: 2000. A page with many images has some hundreds.
   */
  readonly http2PrioritiesMax?: number | undefined;
  /**
   * WINDOW_UPDATE frames of one HTTP/2 connection at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 10000000. Default: 2000. Each 64 bytes that a client gets allow it one more.
   */
  readonly http2WindowUpdatesMax?: number | undefined;
  /**
   * Empty and unknown frames of one HTTP/2 connection at once, and a tenth of them each second.
   *
   * Takes a whole number from 1 to 1000000. Default: 200. Clients send hardly any.
   */
  readonly http2IdleFramesMax?: number | undefined;
  /**
   * Memory for small static files.
   *
   * Takes a size from 0 to 64GiB, such as 65536 or 64KiB. Default: 64MiB. The assets of most sites fit.
   */
  readonly staticCacheBytesMax?: Bytes | undefined;
  /**
   * Requests that may wait for a worker; then 503 with Retry-After.
   *
   * Takes a whole number from 0 to 1000000. Default: 20000. As many as connections: not the number decides, but how
   * long they wait (`queueDelayMs`).
   */
  readonly queueMax?: number | undefined;
  /**
   * Wait for a worker that a request may expect under overload; then 503 at once. 0 for any wait.
   *
   * Takes a time from 0s to 1h, such as 500ms or 30s. Default: 1s. Overload lasts longer than a second. A burst
   * waits, and so do 16 requests for each worker thread.
   */
  readonly queueDelayMs?: Duration | undefined;
  /**
   * Time that a request may wait in the queue; then 503 with Retry-After. 0: no limit.
   *
   * Takes a time from 0s to 1h, such as 500ms or 30s. Default: no limit. While the queue moves, `queueDelayMs` bounds
   * the wait. Slow views with few clients may wait longer.
   */
  readonly queueWaitMaxMs?: Duration | undefined;
  /**
   * Requests that the server may send ahead to one worker thread.
   *
   * Takes a whole number from 1 to 1024. Default: 64. The server sends ahead only while the expected wait stays below
   * 1 ms. Beyond 64, no gain was measured.
   */
  readonly laneDepthMax?: number | undefined;
  /**
   * Time from a complete request to the start of its response; then 504, and RequestTimeout in its thread. 0: any.
   *
   * Takes a time from 0s to 24h, such as 500ms or 30s. Default: 60s. nginx also waits for a minute before it answers
   * with 504.
   */
  readonly requestTimeoutMs?: Duration | undefined;
  /**
   * Time between two blocks of a response; then it breaks off, with RequestTimeout in its thread. 0: any.
   *
   * Takes a time from 0s to 24h, such as 500ms or 30s. Default: any time. Event streams may have nothing to say for
   * hours.
   */
  readonly streamTimeoutMs?: Duration | undefined;
  /**
   * Time for a thread to end a request after RequestTimeout. Then its worker is replaced, when its other threads have
   * finished.
   *
   * Takes a time from 0s to 1h, such as 500ms or 30s. Default: 5s. Python code ends at once, and a rollback takes a
   * moment. A thread that waits in C code does not end.
   */
  readonly requestGraceMs?: Duration | undefined;
  /**
   * Length of request content (a body) that waits in memory. Longer content goes to a file.
   *
   * Takes a size from 0 to 1GiB, such as 65536 or 64KiB. Default: 256KiB. Forms fit into memory. Uploads do not.
   */
  readonly bodyMemoryBytesMax?: Bytes | undefined;
  /**
   * Bytes of a response that wait for a slow client before the worker has to wait.
   *
   * Takes a size from 64KiB to 1GiB, such as 65536 or 64KiB. Default: 16MiB. Nearly every page and picture fits, so a
   * worker is free at once.
   */
  readonly responseBufferBytesMax?: Bytes | undefined;
  /**
   * Run a GET, HEAD, OPTIONS, PUT or DELETE once more if its worker died.
   *
   * Takes true or false. Default: no. A request that killed one worker may kill the next.
   */
  readonly retryIdempotent?: boolean | undefined;
  /**
   * Time for the application to import and its workers to become ready; also for applications in TypeScript.
   *
   * Takes a time from 1s to 1h, such as 500ms or 30s. Default: 60s. Large Django projects import for ten seconds on a
   * cold disk.
   */
  readonly startTimeoutMs?: Duration | undefined;
  /**
   * Time in which a worker, or one of several server processes, must respond, whatever its requests do. Then it is
   * killed and replaced. 0: never.
   *
   * Takes a time from 0s to 1h, such as 500ms or 30s. Default: 30s. A thread that answers needs the interpreter lock,
   * which C code may hold for seconds. gunicorn has the same limit.
   */
  readonly workerTimeoutMs?: Duration | undefined;
  /**
   * Requests after which a worker is replaced, without dropping any. 0: never.
   *
   * Takes a whole number from 0 to 1000000000. Default: 0. An application that does not leak memory needs no new
   * workers.
   */
  readonly maxRequests?: number | undefined;
  /**
   * Up to so many requests more than maxRequests, a random number for each worker.
   *
   * Takes a whole number from 0 to 1000000000. Default: 0. Workers are replaced one at a time anyway.
   */
  readonly maxRequestsJitter?: number | undefined;
  /**
   * Age at which a worker is replaced, up to a tenth earlier or later. 0: never.
   *
   * Takes a time from 0s to 8760h, such as 500ms or 30s. Default: 0s. An application that does not leak memory needs
   * no new workers.
   */
  readonly maxLifetimeMs?: Duration | undefined;
  /**
   * Resident memory (RSS) above which a worker is replaced, measured every 5 seconds. 0: any. Linux only.
   *
   * Takes a size from 0 to 1024GiB, such as 65536 or 64KiB. Default: 0. How much a worker needs depends on the
   * application. What it shares with the others counts, too.
   */
  readonly maxRssBytes?: Bytes | undefined;
  /**
   * Merge the application's own metrics (prometheus_client) of all workers into those of the admin listener.
   *
   * Takes true or false. Default: yes. Without it, each scrape would get the metrics of one worker. Nothing is done
   * without an admin listener.
   */
  readonly applicationMetrics?: boolean | undefined;
  /**
   * Workers that stay when there is little to do. More start while requests wait. In files also workers = { min, max
   * }.
   *
   * Takes a whole number from 0 to 256. Default: as many as workers. Workers share memory, and an idle one uses no
   * CPU. Fewer are for machines with many applications.
   */
  readonly workersMin?: number | undefined;
  /**
   * Time in which never all workers are busy; then one of them leaves. It needs workersMin.
   *
   * Takes a time from 1s to 24h, such as 500ms or 30s. Default: 60s. The next visitors come within a minute, if more
   * come at all.
   */
  readonly workersIdleMs?: Duration | undefined;
}

/** Settings of the command `viaduct`, which a server inside a program does not take. */
export interface CommandSettings {
  /**
   * Backend for the requests that match no route, such as http://127.0.0.1:9000.
   *
   * Takes a backend such as http://127.0.0.1:9000, https://app.internal, h2c://127.0.0.1:9000, uwsgi://127.0.0.1:3031
   * or unix:/run/app.sock. Default: none. Most servers serve an application. With this setting, a web server alone
   * needs no settings file.
   */
  readonly proxy?: OneOrMore<string> | undefined;
  /**
   * Unix socket for commands to the running server, such as viaduct status. Only the same user may connect.
   *
   * Takes the path of a socket, or off. Default: a socket in the runtime directory of the user, which the commands
   * find. Operators want to see what a server does. No other user can connect.
   */
  readonly control?: string | undefined;
  /**
   * Address for the pages about requests, and for programs such as Prometheus that get the metrics: 9464, HOST:PORT,
   * [::1]:PORT or unix:PATH.
   *
   * Takes 9464, HOST:PORT, [::1]:PORT or unix:PATH. Default: none. Without it, nothing is counted, and nobody can
   * connect. The pages ask for a token where others can connect.
   */
  readonly admin?: OneOrMore<string | number> | undefined;
  /**
   * File with the token for the pages of an admin listener that others than this machine can reach.
   *
   * Takes the path of a file. Default: a token that is made and printed at the start, if others can connect. A
   * listener on 127.0.0.1 or on a Unix socket needs no token.
   */
  readonly adminTokenFile?: string | undefined;
  /**
   * Server processes, which accept connections, speak HTTP and serve files. They share out the workers.
   *
   * Takes a whole number from 1 to 64. Default: 1. One server process can handle HTTP for many workers, and in most
   * sites Python is the limit. Each server process imports the application once.
   */
  readonly processes?: number | undefined;
  /**
   * If root starts Viaduct: bind as root, then run everything as this user.
   *
   * Takes a name or a number. Default: the user that starts Viaduct. Service managers usually start a service as its
   * own user.
   */
  readonly user?: string | undefined;
  /**
   * If root starts Viaduct: run everything with this group. It requires user.
   *
   * Takes a name or a number. Default: the user's own groups. Nearly every service user has a group of its own.
   */
  readonly group?: string | undefined;
  /**
   * File of the access log. SIGUSR1 opens it again.
   *
   * Takes the path of a file. Default: standard output. Service managers and containers store standard output.
   */
  readonly accessLogFile?: string | undefined;
  /**
   * File of the server's log. SIGUSR1 opens it again.
   *
   * Takes the path of a file. Default: standard error. Service managers and containers store standard error.
   */
  readonly errorLogFile?: string | undefined;
  /**
   * Syslog server for the access log: udp://HOST:514, tcp://HOST:601 or unix:/PATH.
   *
   * Takes a text. Default: none. Service managers and containers store standard output.
   */
  readonly accessLogSyslog?: string | undefined;
  /**
   * Syslog server for the server's log: udp://HOST:514, tcp://HOST:601 or unix:/PATH.
   *
   * Takes a text. Default: none. Service managers and containers store standard error.
   */
  readonly errorLogSyslog?: string | undefined;
  /**
   * Socket of systemd's journal for the access log: /run/systemd/journal/socket.
   *
   * Takes the path of a file. Default: none. Service managers and containers store standard output.
   */
  readonly accessLogJournal?: string | undefined;
  /**
   * Socket of systemd's journal for the server's log: /run/systemd/journal/socket.
   *
   * Takes the path of a file. Default: none. Service managers and containers store standard error.
   */
  readonly errorLogJournal?: string | undefined;
}
