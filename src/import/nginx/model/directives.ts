/** Directives that change nothing about which answer a request gets. */
const INERT: ReadonlySet<string> = new Set([
  ...['access_log', 'error_log', 'log_format', 'log_not_found', 'log_subrequest', 'open_log_file_cache', 'rewrite_log'],
  ...['uninitialized_variable_warn', 'sendfile', 'sendfile_max_chunk', 'aio', 'aio_write', 'directio', 'read_ahead'],
  ...['directio_alignment', 'output_buffers', 'postpone_output', 'tcp_nopush', 'tcp_nodelay', 'send_timeout'],
  ...['send_lowat', 'reset_timedout_connection', 'lingering_close', 'lingering_time', 'lingering_timeout', 'etag'],
  ...['if_modified_since', 'max_ranges', 'chunked_transfer_encoding', 'server_tokens', 'resolver', 'resolver_timeout'],
  ...['types_hash_bucket_size', 'types_hash_max_size', 'variables_hash_bucket_size', 'variables_hash_max_size'],
  ...['server_names_hash_bucket_size', 'server_names_hash_max_size', 'map_hash_bucket_size', 'map_hash_max_size'],
  ...['request_pool_size', 'connection_pool_size', 'large_client_header_buffers', 'limit_rate', 'limit_rate_after'],
  ...['limit_req', 'limit_req_zone', 'limit_req_status', 'limit_req_log_level', 'limit_req_dry_run', 'limit_conn'],
  ...['limit_conn_zone', 'limit_conn_status', 'limit_conn_log_level', 'limit_conn_dry_run', 'charset', 'charset_types'],
  ...['override_charset', 'source_charset', 'msie_padding', 'port_in_redirect', 'set_real_ip_from', 'real_ip_header'],
  ...['real_ip_recursive', 'autoindex_exact_size', 'autoindex_format', 'autoindex_localtime', 'satisfy', 'http2'],
  ...['auth_basic_user_file', 'auth_delay', 'ssl', 'listen', 'server_name', 'recursive_error_pages', 'keepalive_time'],
  ...[
    'keepalive_timeout',
    'keepalive_requests',
    'keepalive_disable',
    'disable_symlinks',
    'add_trailer',
    'subrequest_output_buffer_size',
  ],
  ...['open_file_cache', 'gunzip', 'postpone_gzipping', 'charset_map', 'ancient_browser', 'ancient_browser_value'],
  ...[
    'add_before_body',
    'add_after_body',
    'addition_types',
    'msie_refresh',
    'slice',
    'mirror',
    'mirror_request_body',
    'http3',
  ],
  ...['proxy_set_body', 'more_set_headers', 'more_clear_headers'],
  ...['multi_accept', 'use', 'accept_mutex', 'epoll_events', 'pid', 'daemon', 'master_process', 'timer_resolution'],
  ...['pcre_jit', 'lock_file', 'thread_pool', 'load_module', 'zone', 'types_hash'],
  ...['proxy_params', 'valid_referers', 'secure_link', 'secure_link_md5', 'secure_link_secret', 'auth_request_set'],
]);

const INERT_FAMILIES =
  /^(?:gzip|brotli|zstd|quic|userid|sub_filter|ssi)(?:_|$)|^init(?:_worker)?_by_lua|^(?:open_file_cache|ssl|http2|client|upstream_conf|otel|opentracing|geoip|geoip2|referer_hash|memcached|mp4|worker|lua)_|^(?:proxy|grpc|fastcgi|uwsgi|scgi)_(?:bind|buffer|busy|cache|connect|cookie|force|headers_hash|hide|http_version|ignore|intercept|keep|limit|max_temp|next|no_cache|pass_(?:header|request_body)|read|redirect|request_buffering|send_(?:lowat|timeout)|socket|ssl|store|temp|catch|modifier)/;

/** Directives that run programs of their own before anything else may decide. */
const PROGRAMS = /_by_lua|^(?:js|perl|modsecurity|njs)_|^(?:perl|modsecurity)$/;

export function isInert(name: string): boolean {
  return INERT.has(name) || INERT_FAMILIES.test(name);
}

/** Whether a directive that the model does not interpret may decide about a request before its location's rewrites do. */
export function decidesEarly(name: string): boolean {
  return PROGRAMS.test(name);
}

/** Directives that name a backend, and the module that each belongs to. */
export const PASSES: Readonly<Record<string, 'proxy' | 'grpc' | 'fastcgi' | 'uwsgi' | 'scgi'>> = {
  proxy_pass: 'proxy',
  grpc_pass: 'grpc',
  fastcgi_pass: 'fastcgi',
  uwsgi_pass: 'uwsgi',
  scgi_pass: 'scgi',
};

/** Directives that answer by themselves in a way that the model does not interpret. */
export const OPAQUE_HANDLERS: ReadonlySet<string> = new Set([
  ...['empty_gif', 'stub_status', 'memcached_pass', 'flv', 'mp4', 'perl', 'js_content', 'content_by_lua_block'],
  ...['content_by_lua', 'content_by_lua_file', 'api', 'status', 'push_stream_subscriber', 'return_early'],
]);
