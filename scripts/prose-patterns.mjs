/**
 * What `npm run prose` looks for. The text of the project is ordinary developer English: subject first, verb second, one thought a sentence.
 * The patterns are the turns of phrase in which a reader stumbles, because a clause has no subject, because "no" negates a noun where "not"
 * negates the verb, or because an everyday word has a rarer one in its place. A pattern belongs here only if it hardly ever finds good English.
 *
 * @typedef {object} Pattern
 * @property {string} id the name that an exception gives: `prose allows <id>: reason`
 * @property {RegExp} pattern
 * @property {string} instead
 * @property {boolean} [inSentences] it says nothing about headings, which need no verb
 * @property {readonly string[]} bad examples that it finds
 * @property {readonly string[]} good examples that it does not find
 *
 * @typedef {object} Word a name that the project no longer uses
 * @property {string} word an identifier, found in all spellings: `FieldMemory`, `field-memory`, `field_memory`, `field memory`
 * @property {string} instead
 * @property {boolean} [exact] found only in code and only in this spelling, because the word alone is ordinary English
 * @property {boolean} [joined] not found as separate words, because together they are ordinary English
 */

/** A sentence starts here. */
const START = `(?:^|(?<=[.;!] ))`;
/** The sentence does not end with a question mark. */
const NO_QUESTION = String.raw`(?![^.;!]*\?)`;
const BE = '(?:is|are|was|were|be|been|being)';

/** @type {readonly Pattern[]} */
export const PATTERNS = [
  {
    id: 'is-no',
    pattern: new RegExp(
      String.raw`(?<!\b[Tt]here )\b${BE} no (?!longer\b|more than|less than|later than|earlier than|fewer than)(?=\w)`,
    ),
    instead: '"is not a …", "are not …" or "there is no …"',
    bad: ['It is no path.', 'names that are no tokens', 'That was no regular file'],
    good: [
      'It is not a path.',
      'There is no path.',
      'It is no longer there.',
      'It is no more than 3.',
      'The answer is no.',
    ],
  },
  {
    id: 'is-none',
    pattern: new RegExp(String.raw`(?<!\b[Tt]here )\b(?:${BE}|as) none\b`),
    instead: '"is not one", "is not valid" or "does not exist"',
    bad: ['Cannot allow origin "x": it is none', 'it is none of a redirection', 'an empty one counts as none'],
    good: ['it is not a valid origin', 'There is none.', 'Default: none.'],
  },
  {
    id: 'of-such',
    pattern: /\bof such(?! an? )\b|\bsuch (?:a )?ones?\b|\bsuch (?:is|are)\b/,
    instead: '"of these", "one of them" or the noun',
    bad: ['nothing of such is trusted', 'a server that meets such a one', 'such are refused'],
    good: ['nothing of this is trusted', 'a field such as Host', 'a message of such a size', 'in such a case'],
  },
  {
    id: 'is-told',
    pattern: new RegExp(String.raw`\b${BE} told\b(?! to\b)`),
    instead: '"is reported", "is logged" or "receives"; name who reports',
    bad: ['a failure is told in the log', 'all mistakes are told at once', 'the owner may be told anything'],
    good: ['the log reports a failure', 'the server reports all mistakes together', 'clients are told to go elsewhere'],
  },
  {
    id: 'tells-that',
    pattern:
      /(?<!\bcan )(?<!\bcannot )\b(?:tells?|telling) (?:that|whether|when|if|how|what|which|where|why|of|about|no|nothing|all|its|their)\b/,
    instead: '"reports", "says", "returns" or "logs"',
    bad: ['tells whether it did', 'A stream that tells when it is over', 'the log tells of them'],
    good: ['returns whether it did', 'A program can tell which one it was.', 'tell the backend its weight'],
  },
  {
    id: 'tell-apart',
    pattern: /\b(?:tells?|told|telling)(?: \w+){0,3} apart\b/,
    instead: '"distinguish"',
    bad: ['Clients are told apart by their address', 'nothing tells the two apart'],
    good: ['The server distinguishes clients by their address.'],
  },
  {
    id: 'who-subject',
    inSentences: true,
    pattern: new RegExp(
      String.raw`${START}[Ww]ho (?!(?:the|an?|it|they|we|you|to)\b)(?=\w)${NO_QUESTION}|\b[Ww]hoever\b`,
    ),
    instead: '"a client that …", "the caller" or another noun',
    bad: [
      'Who is limited "by address" is the client.',
      'It waits; who left is counted.',
      'The body belongs to whoever made it',
    ],
    good: [
      'A client that left is counted.',
      'Who is limited?',
      'a client who reads',
      'The log says two things: who came, and when.',
    ],
  },
  {
    id: 'for-who',
    pattern: /\b(?:for|of|from|to|by|with) who (?!(?:the|it|they|we|you)\b)/,
    instead: '"for those who …" or a noun',
    bad: ['HTTP is there for who wants speed', 'the address of who connected'],
    good: ['HTTP is there for those who want speed', 'the address of the client', 'the question of who they are'],
  },
  {
    id: 'what-subject',
    inSentences: true,
    pattern: new RegExp(
      String.raw`${START}What (?:is|are|was|were|has|have|cannot|does not|comes|came|must|may|recurs|remains|changed|stands|fails|no|nobody)\b` +
        String.raw`(?:(?!\b(?:when|if|where|that|which|who|and|or|because|while|until|how|why|what)\b)[^.;:?,!])*? ` +
        String.raw`(?:is|are|was|were|gets?|goes|comes|counts|has|does|cannot|can|may|must|stays?|holds?)\b${NO_QUESTION}`,
    ),
    instead: 'a noun as the subject: "Requests beyond the limit get …"',
    bad: ['What is missing is skipped.', 'It ends. What was valid is remembered.', 'What no prefix fits gets 404.'],
    good: [
      'Missing parts are skipped.',
      'What is a release?',
      'What is different',
      'What is served, and how it is found',
      'What is logged when a worker is killed',
    ],
  },
  {
    id: 'of-subject',
    inSentences: true,
    pattern: new RegExp(String.raw`${START}Of (?:both|what|an?|it|them)\b`),
    instead: 'the subject first: "The first 64 bits of an address count"',
    bad: ['Of an IPv6 address the first 64 bits count.', 'It waits. Of both, that there are no backends is trusted.'],
    good: ['The first 64 bits of an IPv6 address count.', 'Of course it waits.'],
  },
  {
    id: 'mend',
    pattern: /\b[Mm]end(?:s|ed|ing)?\b/,
    instead: '"fix"',
    bad: ['Mend the files or their names.', 'it is never mended'],
    good: ['Fix the files or their names.', 'a recommendation', 'an amended commit'],
  },
  {
    id: 'stands-in',
    pattern:
      /\b(?:stands?|stood|standing) (?:in|at|on|behind|before|beside|around|below|above|between|left|right|where|here|there|first|last)\b/,
    instead: '"is in", "is at", "comes before" or "follows"',
    bad: ['It stands in the same file', 'what stands behind the flag', 'a proxy that stands before it'],
    good: ['It is in the same file', 'A star stands for any label.', 'the words that follow the flag'],
  },
  {
    id: 'begin',
    pattern: /\b[Bb]egins?\b|\b[Bb]egan\b|\bbegun\b/,
    instead: '"start", or "has started"',
    bad: ['a path that begins with a slash', 'it had not begun', 'Begin with --proxy'],
    good: ['a path that starts with a slash', '-----BEGIN CERTIFICATE-----', 'from the beginning'],
  },
  {
    id: 'anew',
    pattern: /\banew\b/,
    instead: '"again" or "a new"',
    bad: ['writes the page anew'],
    good: ['writes the page again'],
  },
  {
    id: 'given-again',
    pattern: /\bgiven (?:again|several times)\b/,
    instead: '"Repeatable." or "can be repeated"',
    bad: ['Can be given again.', 'the flag is given several times'],
    good: ['Repeatable.', 'the flag can be repeated'],
  },
  {
    id: 'is-asked',
    pattern: new RegExp(String.raw`\b${BE} asked(?: first| next| again| anew| instead| directly)?(?=[.,;:)]|$)`),
    instead: '"is tried", "receives the request", "is queried" or "is called"',
    bad: ['the next one is asked.', 'the application is asked', 'Nobody else was asked again.'],
    good: ['the next one is tried.', 'The user is asked for a password.'],
  },
  {
    id: 'believe',
    pattern: /\b[Bb]elie(?:ve|ves|ved|ving)\b(?! (?:that|so)\b)/,
    instead: '"trust", "accept" or "assume"',
    bad: ['a proxy on this machine is believed', 'before you believe its subject'],
    good: ['a proxy on this machine is trusted', 'the server believes that it lives'],
  },
  {
    id: 'lent',
    pattern: /\blent\b/,
    instead: '"valid only during the call", or say who owns it',
    bad: ['What is lent is not closed.', 'the bytes are lent for the call'],
    good: [
      'The caller owns the application, so nobody else closes it.',
      'the bytes are valid only during the call',
      'silent',
    ],
  },
  {
    id: 'is-to-be',
    pattern: /\b(?:is|are|was|were) (?:not )?to be \w/,
    instead: '"must be", "must not be" or the plain verb',
    bad: ['The server is to be stopped then.', 'whatever is to be different'],
    good: ['The server must stop then.', 'It ought to be different.', 'the path to be served'],
  },
  {
    id: 'to-be-had',
    pattern: /\b(?:be|been|is|was) had\b/,
    instead: '"is available" or "could not be installed"',
    bad: ['something could not be had'],
    good: ['something is not available', 'it has had three'],
  },
  {
    id: 'come-to-end',
    pattern: /\b(?:comes?|came|coming) to (?:its|their|an|the) (?:own )?(?:end|beginning)\b/,
    instead: '"ends", "finishes" or "starts"',
    bad: ['the suite did not come to its end'],
    good: ['the suite did not finish'],
  },
  {
    id: 'knows-no',
    pattern: /\b(?:knows?|speaks?) no (?!more\b|less\b|longer\b)(?=\w)/,
    instead: '"does not know", "does not speak" or "has no"',
    bad: ['HTTP/1.0 knows no Transfer-Encoding', 'it speaks no HTTP/2'],
    good: ['HTTP/1.0 has no Transfer-Encoding', 'it sees no request'],
  },
  {
    id: 'rests',
    pattern:
      /\b(?:backends?|connections?|it|they|that|which) rests?\b|\b(?:is|are|was|were) (?:resting|awake)\b|\b(?:resting|awake) backends?\b/,
    instead: '"is down" or "is available" of a backend, "is idle" of a connection',
    bad: ['a connection keeps it until it rests', 'the backend is resting', 'all awake backends'],
    good: ['until it is idle', 'the backend is down', 'it takes the rest'],
  },
  {
    id: 'gateway-protocol',
    pattern: /\bgateway protocols?\b/i,
    instead: '"CGI protocol": uwsgi, FastCGI or SCGI',
    bad: ['Variables for backends of gateway protocols.'],
    good: ['Variables for backends of CGI protocols.'],
  },
  {
    id: 'discovery-engine',
    pattern: /\b[Ee]ngines? that knows?\b|\bdiscovery engines?\b/,
    instead: '"service discovery"',
    bad: ['What engines that know backends have found last.'],
    good: ['What service discovery has found last.', "Node's HTTP/2 engine"],
  },
  {
    id: 'by-way-of',
    pattern: /\bby way of\b/,
    instead: '"through" or "as"',
    bad: ['tests that passed by way of the server'],
    good: ['tests that passed through the server'],
  },
  {
    id: 'front',
    pattern:
      /(?<!\b(?:at|to) )\b(?:[Tt]he|[Aa]|[Ee]ach|[Ee]very|[Oo]ne|[Tt]his|its|another|other|per|more) front\b(?![-/]| (?:end|of|door|page|matter)\b)/,
    instead: '"server process" (ours) or "front-end proxy" (nginx before us)',
    bad: ['The front keeps the request.', 'a queue and a zygote per front'],
    good: ['The server process keeps it.', 'nginx in front of it', 'a front-end proxy', 'at the front of the queue'],
  },
  {
    id: 'at-most-so-many',
    pattern: /\b[Aa]t most so (?:many|much|long)\b|\b[Oo]nly as (?:many|much) (?:\w+ )?(?:is|are) \w+ as\b/,
    instead: '"at most N" or "the maximum number of …"',
    bad: ['At most so many proxies in a row', 'Only as many are sent as keep the wait short'],
    good: ['At most eight proxies in a row', 'as many as possible'],
  },
  {
    id: 'beside',
    inSentences: true,
    pattern: new RegExp(`${START}Beside (?!the point)`),
    instead: '"Besides" or "In addition to"',
    bad: ['Beside settings these files hold routes.'],
    good: ['In addition to settings, these files hold routes.', 'the page beside it'],
  },
  {
    id: 'ill',
    pattern: /\b(?:is|are|was|were|found|declared) ill\b(?!-)/,
    instead: '"unhealthy" or "down"',
    bad: ['a backend that was found ill'],
    good: ['a backend that is unhealthy', 'the address is ill-formed'],
  },
  {
    id: 'amiss',
    pattern: /\bamiss\b/,
    instead: '"reject" or "wrong"',
    bad: ['a frame that Node would take amiss'],
    good: ['a frame that Node would reject'],
  },
];

/** Places in the tree that were renamed. */
const MOVED = [
  ['web/gateway', 'listen/cgi'],
  ['upstream/gateways', 'proxy/cgi'],
  ['gateway/protocols', 'cgi'],
  ['src/gateway', 'src/wsgi'],
  ['src/upstream', 'src/proxy'],
  ['src/web', 'src/listen, src/handlers, src/routing or src/static'],
  ['src/app', 'src/workers or src/project'],
  ['src/library', 'src/api'],
  ['src/observe', 'src/log'],
  ['src/service', 'src/os'],
  ['src/admin', 'src/server'],
];

/** One noun has one meaning, the one that its field gives it. @type {readonly Word[]} */
export const WORDS = [
  { word: 'fronts', instead: 'processes (the setting), server processes, or front-end proxies' },
  { word: 'Carrier', instead: 'CgiConnection' },
  { word: 'CarriedSocket', instead: 'CgiRequestSocket' },
  { word: 'ToldRequest', instead: 'CgiRequest' },
  { word: 'Arrivals', instead: 'ConnectionAcceptor' },
  { word: 'Sinks', instead: 'ProtocolHandlers' },
  { word: 'Roster', instead: 'BackendPool' },
  { word: 'Standings', instead: 'BackendOverrides' },
  { word: 'Dialect', instead: 'Transport' },
  { word: 'ExchangingBackend', instead: 'BackendClient' },
  { word: 'BackendExchange', instead: 'UpstreamRequest' },
  { word: 'WaitingLine', instead: 'RequestQueue', joined: true },
  { word: 'RestMs', instead: 'retry_after_ms' },
  { word: 'ownAnswers', instead: 'errorResponse', joined: true },
  { word: 'Believed', instead: 'TrustPolicy', exact: true },
  { word: 'Letter', instead: 'UppercaseLetter', exact: true },
  { word: 'Mistakes', instead: 'ConfigErrors', exact: true },
  { word: 'Ledger', instead: 'ImportReport' },
  { word: 'tellRest', instead: 'reportUnsupported' },
  { word: 'bury', instead: 'settleDeadLane', exact: true },
  { word: 'FieldMemory', instead: 'HeaderCache' },
  { word: 'LaneMemory', instead: 'WorkerHeaderCache' },
  { word: 'StandingResponse', instead: 'PreparedResponse' },
  { word: 'StandingVariants', instead: 'CachedEncodings' },
  { word: 'Credit', instead: 'RateDeadline', exact: true },
  { word: 'Allowance', instead: 'RateLimitRule', exact: true },
  { word: 'ClientLink', instead: 'ClientSocketControl' },
  { word: 'HANDLE', instead: 'nativeHandler', exact: true },
  { word: 'ForeignServer', instead: 'framework server' },
  { word: 'InnerServer', instead: 'embedded server' },
  { word: 'Breach', instead: 'Violation' },
  { word: 'assumeIdentity', instead: 'dropPrivileges' },
  { word: 'forgottenPromises', instead: 'unhandledRejections' },
  { word: 'passLines', instead: 'forwardOutput', exact: true },
  ...MOVED.map(([word, instead]) => ({ word, instead })),
];
