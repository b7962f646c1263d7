/** What `Allow` lists in answers to methods that no server of this kind offers (RFC 9110 section 10.2.1). */
export const METHODS_ALLOWED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
