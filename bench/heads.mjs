/** What a browser sends with each request to a site where one is logged in. With the request line and `Host` about 700 bytes. */
export const BROWSER_FIELDS = [
  ['Connection', 'keep-alive'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.8,de-DE;q=0.6,de;q=0.4'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Referer', 'http://127.0.0.1:8000/accounts/profile/?next=/'],
  [
    'Cookie',
    'csrftoken=Zq0x3mT7uHc1VbR9kLp5sWd2yFa8gJe4; sessionid=k3v9x1c7m5q2w8e4r6t0y1u3i5o7p9a2; theme=light; consent=necessary.statistics',
  ],
  ['Upgrade-Insecure-Requests', '1'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-User', '?1'],
];

/** The same of somebody who clicks from page to page: one field is another each time. `wrk.lua` puts a number for `{n}`. */
export const CHANGING_FIELDS = BROWSER_FIELDS.map(([name, value]) => [
  name,
  name === 'Referer' ? 'http://127.0.0.1:8000/accounts/profile/{n}?next=/' : value,
]);

/** The same of Chromium by HTTP/2, with a cookie of 200 bytes. Names are in lower case there, and no field is about the connection. */
export const CHROMIUM_FIELDS = [
  ['sec-ch-ua', '"Chromium";v="142", "Not_A Brand";v="99"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
  ['upgrade-insecure-requests', '1'],
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  [
    'accept',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  ],
  ['sec-fetch-site', 'same-origin'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-user', '?1'],
  ['sec-fetch-dest', 'document'],
  ['referer', 'https://127.0.0.1:8443/accounts/profile/?next=/'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['accept-language', 'en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7'],
  [
    'cookie',
    'csrftoken=Zq0x3mT7uHc1VbR9kLp5sWd2yFa8gJe4; sessionid=k3v9x1c7m5q2w8e4r6t0y1u3i5o7p9a2; theme=bright; consent=necessary.statistics; messages=W1siX19qc29uX21lc3NhZ2UiLDAsMjUsIlNhdmVkIGl0IG5vdy4iLCIiXV0',
  ],
  ['priority', 'u=0, i'],
];
