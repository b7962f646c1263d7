/** The options that `uwsgi --help` of uWSGI 2.0.31 lists, as built by PyPI's package without PCRE: names without the two hyphens. */
export const UWSGI_OPTIONS: readonly string[] = `
socket uwsgi-socket suwsgi-socket ssl-socket http-socket http-socket-modifier1 http-socket-modifier2 http11-socket
https-socket https-socket-modifier1 https-socket-modifier2 fastcgi-socket fastcgi-nph-socket fastcgi-modifier1
fastcgi-modifier2 scgi-socket scgi-nph-socket scgi-modifier1 scgi-modifier2 raw-socket raw-modifier1 raw-modifier2
puwsgi-socket protocol socket-protocol shared-socket undeferred-shared-socket processes workers thunder-lock
harakiri harakiri-verbose harakiri-graceful-timeout harakiri-graceful-signal harakiri-queue-threshold
harakiri-no-arh no-harakiri-arh no-harakiri-after-req-hook backtrace-depth mule-harakiri xmlconfig xml config
fallback-config strict skip-zero skip-atexit skip-atexit-teardown set set-placeholder set-ph get declare-option
declare-option2 resolve for for-glob for-times for-readline endfor end-for if-opt if-not-opt if-env if-not-env ifenv
if-reload if-not-reload if-hostname if-not-hostname if-exists if-not-exists ifexists if-plugin if-not-plugin
ifplugin if-file if-not-file if-dir if-not-dir ifdir if-directory endif end-if blacklist end-blacklist whitelist
end-whitelist ignore-sigpipe ignore-write-errors write-errors-tolerance write-errors-exception-only
disable-write-exception inherit include inject-before inject-after daemonize daemonize2 stop reload pause suspend
resume connect-and-read extract listen max-vars max-apps buffer-size memory-report profiler cgi-mode abstract-socket
chmod-socket chmod chown-socket umask freebind map-socket enable-threads no-threads-wait auto-procname
procname-prefix procname-prefix-spaced procname-append procname procname-master single-interpreter need-app master
honour-stdin emperor emperor-proxy-socket emperor-wrapper emperor-wrapper-override emperor-wrapper-fallback
emperor-nofollow emperor-procname emperor-freq emperor-required-heartbeat emperor-curse-tolerance emperor-pidfile
emperor-tyrant emperor-tyrant-nofollow emperor-stats emperor-stats-server early-emperor emperor-broodlord
emperor-throttle emperor-max-throttle emperor-magic-exec emperor-on-demand-extension emperor-on-demand-ext
emperor-on-demand-directory emperor-on-demand-dir emperor-on-demand-exec emperor-extra-extension emperor-extra-ext
emperor-no-blacklist emperor-use-clone emperor-graceful-shutdown imperial-monitor-list imperial-monitors-list
vassals-inherit vassals-include vassals-inherit-before vassals-include-before vassals-start-hook vassals-stop-hook
vassal-sos vassal-sos-backlog vassals-set vassal-set heartbeat reload-mercy worker-reload-mercy mule-reload-mercy
exit-on-reload die-on-term force-gateway help usage print-sym print-symbol reaper max-requests max-requests-delta
min-worker-lifetime max-worker-lifetime max-worker-lifetime-delta socket-timeout no-fd-passing locks lock-engine
ftok persistent-ipcsem sharedarea safe-fd fd-safe cache cache-blocksize cache-store cache-store-sync cache-no-expire
cache-expire-freq cache-report-freed-items cache-udp-server cache-udp-node cache-sync cache-use-last-modified
add-cache-item load-file-in-cache load-file-in-cache-gzip cache2 queue queue-blocksize queue-store queue-store-sync
spooler spooler-external spooler-ordered spooler-chdir spooler-processes spooler-quiet spooler-max-tasks
spooler-harakiri spooler-frequency spooler-freq mule mules farm mule-msg-size signal signal-bufsize signals-bufsize
signal-timer timer signal-rbtimer rbtimer rpc-max disable-logging flock flock-wait flock2 flock-wait2 pidfile
pidfile2 safe-pidfile safe-pidfile2 chroot pivot-root pivot_root uid gid add-gid immediate-uid immediate-gid
no-initgroups unshare unshare2 setns-socket setns-socket-skip setns-skip setns setns-preopen jailed refork re-fork
refork-as-root re-fork-as-root refork-post-jail re-fork-post-jail hook-asap hook-pre-jail hook-post-jail
hook-in-jail hook-as-root hook-as-user hook-as-user-atexit hook-pre-app hook-post-app hook-post-fork hook-accepting
hook-accepting1 hook-accepting-once hook-accepting1-once hook-master-start hook-touch hook-emperor-start
hook-emperor-stop hook-emperor-reload hook-emperor-lost hook-as-vassal hook-as-emperor hook-as-mule hook-as-gateway
after-request-hook after-request-call exec-asap exec-pre-jail exec-post-jail exec-in-jail exec-as-root exec-as-user
exec-as-user-atexit exec-pre-app exec-post-app exec-as-vassal exec-as-emperor mount-asap mount-pre-jail
mount-post-jail mount-in-jail mount-as-root mount-as-vassal mount-as-emperor umount-asap umount-pre-jail
umount-post-jail umount-in-jail umount-as-root umount-as-vassal umount-as-emperor wait-for-interface
wait-for-interface-timeout wait-interface wait-interface-timeout wait-for-iface wait-for-iface-timeout wait-iface
wait-iface-timeout wait-for-fs wait-for-file wait-for-dir wait-for-mountpoint wait-for-fs-timeout wait-for-socket
wait-for-socket-timeout call-asap call-pre-jail call-post-jail call-in-jail call-as-root call-as-user
call-as-user-atexit call-pre-app call-post-app call-as-vassal call-as-vassal1 call-as-vassal3 call-as-emperor
call-as-emperor1 call-as-emperor2 call-as-emperor4 ini yaml yml weight auto-weight no-server command-mode
no-defer-accept tcp-nodelay so-keepalive so-send-timeout socket-send-timeout so-write-timeout socket-write-timeout
socket-sndbuf socket-rcvbuf shutdown-sockets limit-as limit-nproc reload-on-as reload-on-rss evil-reload-on-as
evil-reload-on-rss mem-collector-freq reload-on-fd brutal-reload-on-fd ksm never-swap touch-reload
touch-workers-reload touch-mules-reload touch-spoolers-reload touch-chain-reload touch-logrotate touch-logreopen
touch-exec touch-signal fs-reload fs-brutal-reload fs-signal check-mountpoint mountpoint-check check-mount
mount-check propagate-touch limit-post no-orphans prio cpu-affinity post-buffering post-buffering-bufsize
body-read-warning upload-progress no-default-app manage-script-name ignore-script-name catch-exceptions
reload-on-exception reload-on-exception-type reload-on-exception-value reload-on-exception-repr exception-handler
enable-metrics metric metric-threshold metric-alarm alarm-metric metrics-dir metrics-dir-restore metric-dir
metric-dir-restore metrics-no-cores udp stats stats-server stats-http stats-minified stats-min stats-push
stats-pusher-default-freq stats-pushers-default-freq stats-no-cores stats-no-metrics multicast multicast-ttl
multicast-loop master-fifo notify-socket subscription-notify-socket legion legion-mcast legion-node legion-freq
legion-tolerance legion-death-on-lord-error legion-skew-tolerance legion-lord legion-unlord legion-setup
legion-death legion-join legion-node-joined legion-node-left legion-quorum legion-scroll legion-scroll-max-size
legion-scroll-list-max-size subscriptions-sign-check subscriptions-sign-check-tolerance subscriptions-sign-skip-uid
subscriptions-credentials-check subscriptions-use-credentials subscription-algo subscription-dotsplit subscribe-to
st subscribe subscribe2 subscribe-freq subscription-tolerance unsubscribe-on-graceful-reload start-unsubscribed
subscribe-with-modifier1 snmp snmp-community ssl-verbose ssl-verify-depth sni sni-dir sni-dir-ciphers ssl-enable3
ssl-enable-sslv3 ssl-enable-tlsv1 ssl-option ssl-tmp-dir check-interval forkbomb-delay binary-path
privileged-binary-patch unprivileged-binary-patch privileged-binary-patch-arg unprivileged-binary-patch-arg async
max-fd logto logto2 log-format logformat logformat-strftime log-format-strftime logfile-chown logfile-chmod
log-syslog log-socket req-logger logger-req logger logger-list loggers-list threaded-logger log-encoder
log-req-encoder use-abort alarm alarm-cheap alarm-freq alarm-fd alarm-segfault segfault-alarm alarm-backlog
backlog-alarm lq-alarm alarm-lq alarm-listen-queue listen-queue-alarm alarm-list alarms-list alarm-msg-size
log-master log-master-bufsize log-master-stream log-master-req-stream log-reopen log-truncate log-maxsize
log-backupname logdate log-date log-prefix log-zero log-slow log-4xx log-5xx log-big log-sendfile log-ioerror
log-micros log-x-forwarded-for master-as-root drop-after-init drop-after-apps force-cwd binsh chdir chdir2 lazy
lazy-apps cheap cheaper cheaper-initial cheaper-algo cheaper-step cheaper-overload cheaper-algo-list
cheaper-algos-list cheaper-list cheaper-rss-limit-soft cheaper-rss-limit-hard idle die-on-idle mount worker-mount
threads thread-stacksize threads-stacksize thread-stack-size threads-stack-size vhost vhost-host error-page-403
error-page-404 error-page-500 websockets-ping-freq websocket-ping-freq websockets-pong-tolerance
websocket-pong-tolerance websockets-max-size websocket-max-size chunked-input-limit chunked-input-timeout clock
clock-list clocks-list add-header rem-header del-header collect-header response-header-collect pull-header
check-static check-static-docroot static-check static-map static-map2 static-skip-ext static-index static-safe
static-cache-paths static-cache-paths-name mimefile mime-file static-expires-type static-expires-type-mtime
static-gzip-all static-gzip-dir static-gzip-prefix static-gzip-ext static-gzip-suffix honour-range offload-threads
offload-thread file-serve-mode fileserve-mode disable-sendfile check-cache close-on-exec close-on-exec2 mode env
envdir early-envdir unenv vacuum file-write cgroup cgroup-opt cgroup-dir-mode namespace namespace-keep-mount ns
namespace-net ns-net enable-proxy-protocol reuse-port tcp-fast-open tcp-fastopen tcp-fast-open-client
tcp-fastopen-client zerg zerg-fallback zerg-server cron cron2 unique-cron cron-harakiri legion-cron cron-legion
unique-legion-cron unique-cron-legion loop loop-list loops-list worker-exec worker-exec2 attach-daemon
attach-control-daemon smart-attach-daemon smart-attach-daemon2 legion-attach-daemon legion-smart-attach-daemon
legion-smart-attach-daemon2 daemons-honour-stdin attach-daemon2 plugins plugin need-plugins need-plugin plugins-dir
plugin-dir plugins-list plugin-list autoload dlopen allowed-modifiers remap-modifier dump-options show-config
binary-append-data print iprint exit cflags dot-h config-py build-plugin version response-headers-limit wsgi-file
file eval module wsgi callable test home virtualenv venv pyhome py-programname py-program-name pythonpath
python-path pp pymodule-alias post-pymodule-alias import pyimport py-import python-import shared-import
shared-pyimport shared-py-import shared-python-import spooler-import spooler-pyimport spooler-py-import
spooler-python-import pyargv optimize pecan paste paste-logger web3 pump wsgi-lite ini-paste ini-paste-logged
reload-os-env no-site pyshell pyshell-oneshot python py pyrun py-tracebacker py-auto-reload py-autoreload
python-auto-reload python-autoreload py-auto-reload-ignore wsgi-env-behaviour wsgi-env-behavior
start_response-nodelay wsgi-strict wsgi-accept-buffer wsgi-accept-buffers wsgi-disable-file-wrapper python-version
python-raw py-sharedarea py-call-osafterfork py-call-uwsgi-fork-hooks python-worker-override py-executable
py-sys-executable symcall symcall-use-next symcall-register-rpc symcall-post-fork ping ping-timeout gevent
gevent-monkey-patch gevent-early-monkey-patch gevent-wait-for-hub nagios rrdtool rrdtool-freq rrdtool-lib carbon
carbon-timeout carbon-freq carbon-id carbon-no-workers carbon-max-retry carbon-retry-delay carbon-root
carbon-hostname-dots carbon-name-resolve carbon-resolve-names carbon-idle-avg carbon-use-metrics fastrouter
fastrouter-processes fastrouter-workers fastrouter-zerg fastrouter-use-cache fastrouter-use-pattern
fastrouter-use-base fastrouter-fallback fastrouter-use-code-string fastrouter-use-socket fastrouter-to
fastrouter-gracetime fastrouter-events fastrouter-quiet fastrouter-cheap fastrouter-subscription-server
fastrouter-subscription-slot fastrouter-timeout fastrouter-post-buffering fastrouter-post-buffering-dir
fastrouter-stats fastrouter-stats-server fastrouter-ss fastrouter-harakiri fastrouter-uid fastrouter-gid
fastrouter-resubscribe fastrouter-resubscribe-bind fastrouter-buffer-size fastrouter-fallback-on-no-key
fastrouter-subscription-fallback-key http httprouter https https2 https-export-cert https-session-context
http-to-https http-processes http-workers http-var http-to http-zerg http-fallback http-modifier1 http-modifier2
http-use-cache http-use-pattern http-use-base http-events http-subscription-server http-subscription-fallback-key
http-timeout http-manage-expect http-keepalive http-auto-chunked http-auto-gzip http-raw-body http-websockets
http-chunked-input http-use-code-string http-use-socket http-gracetime http-quiet http-cheap http-stats
http-stats-server http-ss http-harakiri http-stud-prefix http-uid http-gid http-resubscribe http-buffer-size
http-server-name-as-http-host http-headers-timeout http-connect-timeout http-manage-source http-manage-rtsp
http-enable-proxy-protocol ugreen ugreen-stacksize rsyslog-packet-size rsyslog-split-messages zergpool zerg-pool
rawrouter rawrouter-processes rawrouter-workers rawrouter-zerg rawrouter-use-cache rawrouter-use-pattern
rawrouter-use-base rawrouter-fallback rawrouter-use-code-string rawrouter-use-socket rawrouter-to
rawrouter-gracetime rawrouter-events rawrouter-max-retries rawrouter-quiet rawrouter-cheap
rawrouter-subscription-server rawrouter-subscription-slot rawrouter-timeout rawrouter-stats rawrouter-stats-server
rawrouter-ss rawrouter-harakiri rawrouter-xclient rawrouter-buffer-size sslrouter sslrouter2
sslrouter-session-context sslrouter-processes sslrouter-workers sslrouter-zerg sslrouter-use-cache
sslrouter-use-pattern sslrouter-use-base sslrouter-fallback sslrouter-use-code-string sslrouter-use-socket
sslrouter-to sslrouter-gracetime sslrouter-events sslrouter-max-retries sslrouter-quiet sslrouter-cheap
sslrouter-subscription-server sslrouter-timeout sslrouter-stats sslrouter-stats-server sslrouter-ss
sslrouter-harakiri sslrouter-sni sslrouter-buffer-size cheaper-busyness-max cheaper-busyness-min
cheaper-busyness-multiplier cheaper-busyness-penalty cheaper-busyness-verbose cheaper-busyness-backlog-alert
cheaper-busyness-backlog-multiplier cheaper-busyness-backlog-step cheaper-busyness-backlog-nonzero
`
  .trim()
  .split(/\s+/);
