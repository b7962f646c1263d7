import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { rangeOf } from './access.ts';
import { guardOf } from './guard.ts';
import type { Directive } from './tree.ts';

/** Directives that other parts read, with those of sections. */
const READ =
  /^(?:virtualhost|directory|location|locationmatch|files|filesmatch|listen|servername|serveralias|sslengine|rewritecond|proxypass|proxypreservehost|documentroot|alias|wsgiscriptalias|scriptalias|header|requestheader|errordocument|directoryindex|options|limitrequestbody|require\w*|order|allow|deny|satisfy|auth(?:type|name|userfile|basicprovider|merging)|ssl(?:certificatefile|certificatekeyfile|certificatechainfile|cacertificatefile|verifyclient)|redirect\w*)$/;

const NEEDLESS: readonly (readonly [RegExp, string])[] = [
  [/^rewriteengine$/, 'its rules are routes'],
  [/^wsgi(?:processgroup|callableobject|pythonhome|pythonpath)$/, 'the application has it'],
  [
    /^wsgi(?:applicationgroup|restrict\w+|socketprefix|socketrotation|acceptmutex|lazyinitialization|chunkedrequest|freethreading|perinterpretergil|casesensitivity|enablesendfile|importscript|destroyinterpreter|scriptreloading)$/,
    'each application has processes of its own, which load it at their start',
  ],
  [/^wsgipassauthorization$/, 'the application gets Authorization'],
  [
    /^(?:serveradmin|serversignature|servertokens|usecanonicalname|usecanonicalphysicalport|hostnamelookups|traceenable|serverlimit|pidfile|mutex|defaultruntimedir|coredumpdirectory|enable\w+|fileetag|accessfilename|contentdigest)$/,
    'no setting is needed',
  ],
  [
    /^(?:keepalive|maxkeepaliverequests|timeout|requestreadtimeout|startservers|minspare\w+|maxspare\w+|threadlimit|threadsperchild|maxrequestworkers|maxclients|maxconnectionsperchild|maxrequestsperchild|serverlimit|listenbacklog|asyncrequestworkerfactor|graceful\w+)$/,
    'the server process has limits of its own',
  ],
  [
    /^(?:sslprotocol|sslciphersuite|sslhonorcipherorder|sslsessioncache\w*|sslsessiontickets|sslcompression|sslrandomseed|sslpassphrasedialog|sslstapling\w*|sslusestapling|sslopensslconfcmd|sslinsecurerenegotiation|ssluse\w+|sslstrictsnivhostcheck|protocols\w*|h2\w+)$/,
    'TLS 1.2 and 1.3 with forward secrecy, and HTTP/2',
  ],
  [/^(?:loglevel|logformat|scriptlog\w*)$/, 'Viaduct has formats of its own'],
  [
    /^(?:typesconfig|mimemagicfile|addcharset|adddefaultcharset|addlanguage|languagepriority|forcelanguagepriority|addicon\w*|defaulticon|indexoptions|indexignore|readmename|headername|setoutputfilter|addoutputfilter\w*|addoutputfilterbytype|browsermatch\w*|filter\w*|deflate\w+|brotli\w+)$/,
    'files have usual types and names',
  ],
  [
    /^(?:proxypassreverse\w*|proxyrequests|proxyvia|proxyaddheaders|proxybadheader|proxyerroroverride|proxytimeout|sslproxyengine)$/,
    'redirects of backends lead to the site, and fields are those of a reverse proxy',
  ],
  [/^(?:user|group)$/, 'see user'],
];

const LOST: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:customlog|transferlog|errorlog)$/,
    'logs go to standard output and standard error, where the service manager reads them; see access_log_file and error_log_file',
  ],
  [/^expires\w+$/, 'see cache_control in static_options of a route'],
  [
    /^(?:setenv|passenv|unsetenv)$/,
    'set the variable in the environment of Viaduct; mod_wsgi gives it to the application in the environ of each request',
  ],
  [/^ssloptions$/, 'the application gets no variables SSL_*'],
  [/^addtype$/, 'see types in static_options of a route'],
  [/^fallbackresource$/, 'see fallback in static_options of a route'],
  [/^(?:macro|use|undefmacro)$/, 'macros are not read: write their content'],
];

/** Directives that could decide who may come in, or what answers. Without a counterpart they are dangerous. */
const DANGEROUS =
  /^(?:wsgiscriptaliasmatch|aliasmatch|scriptaliasmatch|proxypassmatch|wsgidispatchscript|wsgihandlerscript|aliaspreservepath|virtualdocumentroot\w*|directorymatch|proxy|proxymatch|if|elseif|else|rewritemap|rewritebase|balancermember|sslrequire|limit|limitexcept|macro|use|userdir|security\w*|sec\w+)$/;

/** Reports every directive that no other part has read. */
export function tellOthers(all: readonly Directive[], context: WsgiContext): void {
  for (const directive of all) {
    if (directive.children !== null) {
      tellOverrides(directive, directive.children, context);
      tellOthers(directive.children, context);
    }
    tell(directive, context);
  }
}

function tell(directive: Directive, context: WsgiContext): void {
  const { report } = context;
  const { name } = directive;
  if (report.knows(directive)) return;
  if (name === 'allowoverride') tellOverride(directive, report);
  else if (name.startsWith('remoteip')) carryRemoteIp(directive, context);
  else if (name.startsWith('setenvif')) tellVariable(directive, report);
  else if (name === 'rewriterule') report.needless(directive, 'it has no effect here');
  else if (READ.test(name)) report.took(directive);
  else if (name === 'proxy' || name === 'directorymatch' || name === 'if') tellSection(directive, report);
  else if (DANGEROUS.test(name))
    report.danger(directive, 'it decides who may come in, or what answers, and has no counterpart: write routes');
  else {
    const needless = NEEDLESS.find(([names]) => names.test(name));
    const lost = LOST.find(([names]) => names.test(name));
    if (needless !== undefined) report.needless(directive, needless[1]);
    else report.lost(directive, lost?.[1] ?? 'Viaduct has no counterpart');
  }
}

/** A section that lets everybody in needs nothing, and `.git` is never sent. */
function tellSection(directive: Directive, report: WsgiContext['report']): void {
  const isHidden = directive.name === 'directorymatch' && /(?:^|\/)\^?\\\./.test(directive.args.join(' '));
  const guard = guardOf([directive.children ?? []]);
  if (guard.kind === 'open') report.took(directive);
  else if (isHidden) report.needless(directive, 'names that start with a dot are never sent');
  else report.danger(directive, 'its access rule has no counterpart: write a route with access');
}

/** A file `.htaccess` that counts may keep clients out. */
function tellOverrides(
  { name, args }: Directive,
  children: readonly Directive[],
  { report, output }: WsgiContext,
): void {
  const override = children.findLast((one) => one.name === 'allowoverride');
  const isRead = name === 'directory' && override !== undefined && override.args.join(' ').toLowerCase() !== 'none';
  if (isRead && existsSync(resolve(output, args[0] ?? '', '.htaccess')))
    report.danger(override, 'its file .htaccess is not read: write its rules into this configuration');
}

/** Rules in files of the directories are not read. */
function tellOverride(directive: Directive, report: WsgiContext['report']): void {
  const { args } = directive;
  if (args.join(' ').toLowerCase() === 'none') report.needless(directive, 'there are no files .htaccess');
  else report.lost(directive, 'files .htaccess are not read: write their rules into this configuration');
}

/** The proxies that mod_remoteip trusts. Without them it trusts everybody, which Viaduct does not. */
function carryRemoteIp(directive: Directive, { builder, report }: WsgiContext): void {
  const { name, args } = directive;
  const ranges = args.map(rangeOf);
  if (/^remoteip(?:internal|trusted)proxy$/.test(name) && ranges.every((range) => range !== null)) {
    for (const range of ranges) builder.push('trusted_proxies', range as string, directive);
    report.took(directive);
  } else if (name === 'remoteipheader' && args[0]?.toLowerCase() === 'x-forwarded-for')
    report.differs(directive, 'it counts only from trusted_proxies');
  else report.danger(directive, 'the address of clients would be another one: see trusted_proxies');
}

/** Rules that read a variable are closed, so a variable alone opens nothing. */
function tellVariable(directive: Directive, report: WsgiContext['report']): void {
  const [field = ''] = directive.args;
  if (/^authorization$/i.test(field)) report.needless(directive, 'the application gets Authorization');
  else if (/^x-forwarded-proto$/i.test(field)) report.differs(directive, 'the scheme counts only from trusted_proxies');
  else report.lost(directive, 'Viaduct has no such variables: let the application read the field');
}
