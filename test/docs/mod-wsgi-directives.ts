/** The directives in the reference of mod_wsgi (docs/configuration-directives of its repository). */
export const MOD_WSGI_DIRECTIVES: readonly string[] = `
WSGIAcceptMutex WSGIAccessScript WSGIApplicationGroup WSGIAuthGroupScript WSGIAuthUserScript WSGICallableObject
WSGICaseSensitivity WSGIChunkedRequest WSGIDaemonProcess WSGIDestroyInterpreter WSGIDispatchScript
WSGIDontWriteBytecode WSGIEnableSendfile WSGIErrorOverride WSGIFreeThreading WSGIHandlerScript WSGIIgnoreActivity
WSGIImportScript WSGIInterpreterOptions WSGILazyInitialization WSGIMapHEADToGET WSGIPassApacheRequest
WSGIPassAuthorization WSGIPerInterpreterGIL WSGIProcessGroup WSGIPythonEggs WSGIPythonHashSeed WSGIPythonHome
WSGIPythonOptimize WSGIPythonPath WSGIPythonWarnings WSGIRestrictEmbedded WSGIRestrictProcess WSGIRestrictSignal
WSGIRestrictStdin WSGIRestrictStdout WSGIScriptAlias WSGIScriptAliasMatch WSGIScriptReloading WSGIServerMetrics
WSGISlowRequests WSGISocketPrefix WSGISocketRotation WSGISwitchInterval WSGITelemetryOptions WSGITelemetryService
WSGITrustedProxies WSGITrustedProxyHeaders
`
  .trim()
  .split(/\s+/);

/** The options of WSGIDaemonProcess in the same place. */
export const DAEMON_OPTIONS: readonly string[] = `
processes threads display-name home user group supplementary-groups umask lang locale chroot script-user script-group
python-home python-path python-eggs switch-interval restart-interval maximum-requests inactivity-timeout
request-timeout interrupt-timeout deadlock-timeout startup-timeout graceful-timeout eviction-timeout shutdown-timeout
connect-timeout socket-timeout queue-timeout listen-backlog socket-user cpu-time-limit cpu-priority memory-limit
virtual-memory-limit stack-size receive-buffer-size send-buffer-size header-buffer-size response-buffer-size
response-socket-timeout server-metrics
`
  .trim()
  .split(/\s+/);
