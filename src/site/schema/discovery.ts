import { duration, listOf, table, text, words } from './tools.ts';

/** Options of service discovery. */
export const discovery = table({
  dns_servers: listOf(text(/^[0-9A-Fa-f.:[\]]+$/, 'a numeric address, with a port if it is not 53'))
    .optional()
    .meta({ description: 'DNS servers to ask, also for SRV records.', defaultText: "the system's" }),
  ttl_ms_min: duration(10).prefault(1000).describe('Shortest time between two lookups, whatever the TTL is.'),
  ttl_ms_max: duration(10).prefault(300_000).describe('Longest time between two lookups, whatever the TTL is.'),
  kubernetes_api: text(/^https?:\/\/[^\s/]+$/, 'the URL of an API')
    .optional()
    .meta({ description: 'URL of the Kubernetes API.', defaultText: "the pod's" }),
  kubernetes_token_file: words('the path of a file')
    .optional()
    .meta({ description: 'File with the token for the Kubernetes API.', defaultText: "the pod's" }),
  kubernetes_ca_file: words('the path of a file').optional().meta({
    description: 'PEM file with the certificate authorities to trust for the Kubernetes API.',
    defaultText: "the pod's",
  }),
  kubernetes_namespace: text(/^[a-z0-9-]+$/, 'a namespace')
    .optional()
    .meta({
      description: 'Namespace of a service whose URL names none.',
      defaultText: "the pod's, or default",
    }),
});
