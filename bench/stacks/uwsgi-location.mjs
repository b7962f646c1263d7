/** `uwsgi_params` of the nginx package, which not every package holds. */
const PARAMETERS = [
  'QUERY_STRING $query_string',
  'REQUEST_METHOD $request_method',
  'CONTENT_TYPE $content_type',
  'CONTENT_LENGTH $content_length',
  'REQUEST_URI $request_uri',
  'PATH_INFO $document_uri',
  'DOCUMENT_ROOT $document_root',
  'SERVER_PROTOCOL $server_protocol',
  'REQUEST_SCHEME $scheme',
  'HTTPS $https if_not_empty',
  'REMOTE_ADDR $remote_addr',
  'REMOTE_PORT $remote_port',
  'SERVER_PORT $server_port',
  'SERVER_NAME $server_name',
];

/** Lines of nginx that pass everything on to a server of the uwsgi protocol at `socket`. */
export function uwsgiLocation(socket) {
  const parameters = PARAMETERS.map((parameter) => `      uwsgi_param ${parameter};`);
  return ['    location / {', ...parameters, `      uwsgi_pass unix:${socket};`, '    }'];
}
