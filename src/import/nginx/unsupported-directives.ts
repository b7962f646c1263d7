import type { ImportReport } from '../import-report.ts';
import type { Directive } from './tree.ts';

const ITSELF = 'Viaduct decides this by itself';
const CACHE = 'Viaduct does not cache responses';
const TUNED = 'TLS 1.2 and 1.3 with forward secrecy and sessions need no setting';

/** Directives that no rule carries over, because Viaduct needs no setting for them. */
export const NEEDLESS: Readonly<Record<string, string>> = {
  ...each(
    'sendfile tcp_nopush tcp_nodelay aio directio output_buffers postpone_output sendfile_max_chunk read_ahead',
    ITSELF,
  ),
  ...each(
    'open_file_cache open_file_cache_valid open_file_cache_min_uses open_file_cache_errors',
    'small files are kept in memory and revalidated',
  ),
  ...each(
    'types_hash_max_size types_hash_bucket_size server_names_hash_bucket_size server_names_hash_max_size',
    ITSELF,
  ),
  ...each('variables_hash_max_size variables_hash_bucket_size map_hash_bucket_size map_hash_max_size', ITSELF),
  ...each('proxy_headers_hash_max_size proxy_headers_hash_bucket_size', ITSELF),
  ...each(
    'multi_accept use accept_mutex epoll_events worker_rlimit_nofile worker_priority worker_cpu_affinity',
    ITSELF,
  ),
  ...each('client_header_buffer_size connection_pool_size request_pool_size reset_timedout_connection', ITSELF),
  ...each('client_body_temp_path client_body_in_file_only client_body_in_single_buffer', ITSELF),
  ...each('proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path', ITSELF),
  ...each('pid daemon master_process worker_aio_requests timer_resolution pcre_jit lock_file thread_pool', ITSELF),
  ...each('types_hash', 'types of files are known by their extensions'),
  ...each('etag if_modified_since max_ranges', 'files have strong ETags, conditions and ranges'),
  ...each('server_tokens', 'Viaduct does not name itself in responses'),
  ...each('merge_slashes', 'routes match with single slashes'),
  ...each('real_ip_recursive', 'trusted proxies are skipped from the right'),
  ...each('http2 http2_max_concurrent_streams http2_push_preload', 'HTTP/2 is always supported'),
  ...each('ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout', TUNED),
  ...each('ssl_session_tickets ssl_ecdh_curve ssl_dhparam ssl_buffer_size ssl_early_data ssl_conf_command', TUNED),
  ...each('ssl_session_ticket_key ssl_verify_depth', TUNED),
  ...each(
    'gzip_vary brotli_window gzip_http_version gzip_disable gzip_buffers brotli_buffers',
    'Vary is always sent, and clients are asked by Accept-Encoding',
  ),
  ...each('gzip_proxied', 'responses to proxies are compressed too, unless they say no-transform'),
  ...each(
    'proxy_http_version proxy_buffers proxy_buffer_size proxy_busy_buffers_size',
    'backends are asked over HTTP/1.1, and blocks are sent as the client takes them',
  ),
  ...each('fastcgi_buffers fastcgi_buffer_size uwsgi_buffers uwsgi_buffer_size scgi_buffers grpc_buffer_size', ITSELF),
  ...each('proxy_max_temp_file_size uwsgi_max_temp_file_size fastcgi_max_temp_file_size', ITSELF),
  ...each('proxy_buffering uwsgi_buffering fastcgi_buffering scgi_buffering', 'blocks are forwarded as they arrive'),
  ...each(
    'proxy_request_buffering uwsgi_request_buffering fastcgi_request_buffering',
    'content is forwarded as it arrives',
  ),
  ...each(
    'proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_protocols proxy_ssl_ciphers grpc_ssl_server_name',
    TUNED,
  ),
  ...each(
    'grpc_send_timeout proxy_send_timeout uwsgi_send_timeout fastcgi_send_timeout scgi_send_timeout',
    'idle_timeout_ms applies to both directions',
  ),
  ...each('grpc_socket_keepalive proxy_socket_keepalive proxy_pass_request_headers proxy_pass_request_body', ITSELF),
  ...each(
    'uwsgi_pass_request_headers fastcgi_pass_request_headers scgi_pass_request_headers grpc_pass_request_headers',
    ITSELF,
  ),
  ...each('uwsgi_pass_request_body fastcgi_pass_request_body scgi_pass_request_body', ITSELF),
  ...each('error_log log_not_found log_subrequest rewrite_log', 'errors go to standard error'),
  ...each('uninitialized_variable_warn limit_req_log_level limit_conn_log_level', ITSELF),
  ...each('limit_req_status limit_conn_status limit_req_dry_run', 'it belongs to limits, which report it'),
  ...each('lingering_close lingering_time lingering_timeout chunked_transfer_encoding', ITSELF),
  ...each(
    'ignore_invalid_headers underscores_in_headers',
    'invalid fields are refused, and names with _ are distinguished',
  ),
  ...each('load_module', 'Viaduct has no modules to load'),
  ...each('zone keepalive_requests', ITSELF),
  ...each('ssl_stapling ssl_stapling_verify ssl_stapling_file', 'browsers do not need stapled OCSP responses'),
  ...each(
    'gzip_comp_level brotli_comp_level zstd_comp_level',
    'levels suit content that is compressed while it is sent',
  ),
  ...each('autoindex_exact_size autoindex_localtime autoindex_format', 'listings have one form, and JSON for programs'),
  ...each('uwsgi_param fastcgi_param scgi_param', 'applications receive these variables'),
};

/** What Viaduct does where these directives are off. */
const OFF: Readonly<Record<string, string>> = {
  merge_slashes: 'Viaduct joins slashes before it chooses a route: //x gets what /x gets',
  ...each('proxy_pass_request_headers grpc_pass_request_headers', "backends get the client's fields"),
  ...each(
    'uwsgi_pass_request_headers fastcgi_pass_request_headers scgi_pass_request_headers',
    "backends get the client's fields",
  ),
  ...each(
    'proxy_pass_request_body uwsgi_pass_request_body fastcgi_pass_request_body scgi_pass_request_body',
    'backends get the content',
  ),
};

/** Directives that have no counterpart. */
const LOST: Readonly<Record<string, string>> = {
  ...each('split_clients', 'these variables have no counterpart; viaduct.config.ts can compute values'),
  ...each('ssl_trusted_certificate resolver resolver_timeout', 'Viaduct does not need it; see service discovery'),
  ...each('ssl_crl ssl_password_file', 'see [tls]: it has a passphrase, but no list of revoked certificates'),
  ...each('proxy_cache proxy_cache_path proxy_cache_valid proxy_cache_key proxy_cache_bypass proxy_no_cache', CACHE),
  ...each(
    'proxy_cache_use_stale proxy_cache_lock proxy_cache_methods proxy_ignore_headers proxy_cache_revalidate',
    CACHE,
  ),
  ...each('fastcgi_cache fastcgi_cache_path uwsgi_cache uwsgi_cache_path proxy_store', CACHE),
  ...each('access_log', 'Viaduct has one access log; a route leaves it out with access_log = false'),
  ...each('sub_filter sub_filter_once sub_filter_types', 'responses of backends are forwarded unchanged'),
  ...each('proxy_bind proxy_method proxy_set_body', 'requests are forwarded unchanged'),
  ...each(
    'proxy_ssl_certificate proxy_ssl_certificate_key grpc_ssl_certificate grpc_ssl_certificate_key',
    'Viaduct sends no certificate to backends',
  ),
  ...each('limit_rate limit_rate_after', 'responses are sent as fast as clients take them'),
  ...each('mirror mirror_request_body', 'requests are not sent twice'),
  ...each('auth_jwt secure_link secure_link_md5 valid_referers auth_delay', 'Viaduct has no counterpart'),
  ...each('ssi ssi_types', 'files are sent unchanged'),
  ...each('charset', 'text is sent as UTF-8'),
  ...each('stream mail rtmp', 'Viaduct speaks HTTP only'),
  ...each('env', 'set the variables in the environment of Viaduct'),
  ...each('disable_symlinks', 'links are followed within the directory only'),
  ...each(
    'keepalive_disable port_in_redirect absolute_redirect server_name_in_redirect recursive_error_pages',
    'Viaduct has no counterpart',
  ),
};

/** Reports the directives that no rule has carried over. What the model interprets is not reported: the check of the settings is. */
export function reportUnsupported(directives: readonly Directive[], report: ImportReport): void {
  for (const directive of directives) {
    const { name, args, block } = directive;
    const isKnown = report.knows(directive) || MODELLED.test(name);
    if (!isKnown && name === 'charset' && /^utf-?8$/i.test(args[0] ?? ''))
      report.needless(directive, 'text is sent as UTF-8');
    else if (!isKnown && args[0] === 'off' && OFF[name] !== undefined) report.danger(directive, OFF[name]);
    else if (!isKnown && NEEDLESS[name] !== undefined) report.needless(directive, NEEDLESS[name]);
    else if (!isKnown && /_lua|^lua_|^js_|^perl/.test(name))
      report.lost(directive, 'write middleware or an application in TypeScript');
    else if (!isKnown && LOST[name] !== undefined) report.lost(directive, LOST[name]);
    else if (!isKnown) report.lost(directive, 'Viaduct has no counterpart');
    const isTold = NEEDLESS[name] !== undefined || LOST[name] !== undefined;
    if (block !== null && !isTold && name !== 'types' && name !== 'map' && name !== 'geo')
      reportUnsupported(block, report);
  }
}

/** What the model of nginx interprets, or the translators of options read where they matter. */
const MODELLED =
  /^(?:http|events|server|location|if|limit_except|upstream|map|geo|types|default_type|root|alias|index|autoindex|try_files|internal|rewrite|return|set|break|allow|deny|satisfy|auth_basic|auth_basic_user_file|auth_request|add_header|expires|error_page|listen|server_name|proxy_intercept_errors|proxy_redirect|proxy_cookie_path|proxy_cookie_domain|proxy_cookie_flags|keepalive|(?:proxy|grpc|uwsgi|fastcgi|scgi)_(?:pass|set_header|param|hide_header|connect_timeout|read_timeout|next_upstream|next_upstream_tries|ssl_verify|ssl_trusted_certificate|ssl_name)|gzip|gzip_types|gzip_min_length|brotli|brotli_types|limit_(?:req|conn)(?:_zone)?)$/;

function each(names: string, reason: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, reason]));
}
