import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeSite, notInstalled, reloadDuring, type Site } from '../support/real-applications.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { basicAuth, Visitor } from '../support/visitor.ts';

const CALENDAR = '/ada/club/';

const event = (uid: string, start: string, summary: string): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Test//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${start}`,
    `DTSTART:${start}`,
    `SUMMARY:${summary}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');

const reportOf = (start: string, end: string): string => `<?xml version="1.0"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
  <D:prop><D:getetag/><C:calendar-data/></D:prop>
  <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
    <C:time-range start="${start}" end="${end}"/>
  </C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>`;

describe('Radicale, a calendar server', { skip: notInstalled('radicale') }, () => {
  const suite = suiteLifetime();
  let site: Site;
  let server: Viaduct;
  let ada: Visitor;

  before(async () => {
    site = makeSite(suite, 'radicale');
    writeFileSync(site.path('users'), 'ada:lovelace\nbob:builder\n');
    server = await site.start(suite, { RADICALE_CONFIG: site.path('config') }, ['--workers', '2']);
    ada = new Visitor(server.url, basicAuth('ada', 'lovelace'));
  });

  it('passes viaduct check', () => {
    assert.match(site.check({ RADICALE_CONFIG: site.path('config') }), /The application can be served/);
  });

  it('asks for a password, and knows a wrong one', async () => {
    const stranger = new Visitor(server.url);
    const refused = await stranger.ask('PROPFIND', '/');
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm=/);
    const wrong = new Visitor(server.url, basicAuth('ada', 'byron'));
    assert.equal((await wrong.ask('PROPFIND', '/')).status, 401);
  });

  it('finds the calendars of its user as a client does', async () => {
    const options = await ada.ask('OPTIONS', '/ada/');
    assert.match(options.headers.get('dav') ?? '', /calendar-access/);
    assert.match(options.headers.get('allow') ?? '', /MKCALENDAR/);
    const found = await ada.ask('PROPFIND', '/', {
      headers: { Depth: '0', 'Content-Type': 'application/xml' },
      body: '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
    });
    assert.equal(found.status, 207);
    assert.match(found.text, /<current-user-principal><href>\/ada\/<\/href>/);
    const known = await ada.ask('GET', '/.well-known/caldav');
    assert.ok([301, 302].includes(known.status));
  });

  it('keeps events of a new calendar, and finds them by time', async () => {
    assert.equal((await ada.ask('MKCALENDAR', CALENDAR)).status, 201);
    const put = await ada.ask('PUT', `${CALENDAR}tea.ics`, {
      headers: { 'Content-Type': 'text/calendar; charset=utf-8', 'If-None-Match': '*' },
      body: event('tea', '20300105T150000Z', 'Tee für zwei 🫖'),
    });
    assert.equal(put.status, 201);
    const tag = put.headers.get('etag') ?? '';
    assert.notEqual(tag, '');
    const again = await ada.ask('PUT', `${CALENDAR}tea.ics`, {
      headers: { 'Content-Type': 'text/calendar', 'If-None-Match': '*' },
      body: event('tea', '20300105T150000Z', 'other'),
    });
    assert.equal(again.status, 412);
    await ada.ask('PUT', `${CALENDAR}later.ics`, { body: event('later', '20310105T150000Z', 'later') });
    const report = await ada.ask('REPORT', CALENDAR, {
      headers: { Depth: '1', 'Content-Type': 'application/xml' },
      body: reportOf('20300101T000000Z', '20300201T000000Z'),
    });
    assert.equal(report.status, 207);
    assert.ok(report.text.includes('SUMMARY:Tee für zwei 🫖'), report.text);
    assert.ok(report.text.includes(tag.replaceAll('"', '')), 'the report has the tag of the event');
    assert.doesNotMatch(report.text, /later/);
    const removed = await ada.ask('DELETE', `${CALENDAR}later.ics`, { headers: { 'If-Match': '*' } });
    assert.equal(removed.status, 200);
  });

  it('shows a calendar to its owner only', async () => {
    const bob = new Visitor(server.url, basicAuth('bob', 'builder'));
    assert.equal((await bob.ask('GET', `${CALENDAR}tea.ics`)).status, 403);
    assert.equal((await bob.ask('PROPFIND', CALENDAR)).status, 403);
  });

  it('moves an event to another calendar, also behind a proxy that speaks HTTPS', async () => {
    await ada.ask('MKCALENDAR', '/ada/home/');
    const { host } = new URL(server.url);
    const moved = await ada.ask('MOVE', `${CALENDAR}tea.ics`, {
      headers: { Destination: `https://${host}/ada/home/tea.ics`, 'X-Forwarded-Proto': 'https' },
    });
    assert.equal(moved.status, 201);
    assert.match((await ada.get('/ada/home/tea.ics')).text, /SUMMARY:Tee für zwei/);
  });

  it('serves its own pages', async () => {
    const page = await ada.get('/');
    assert.equal(page.status, 200);
    assert.match(page.target, /^\/\.web/);
    assert.match(page.text, /Radicale/);
  });

  it('answers each request while it reloads, and keeps what there is', async () => {
    let added = 0;
    const visits = await reloadDuring(server, async () => {
      const uid = `more-${added}`;
      const put = await ada.ask('PUT', `/ada/home/${uid}.ics`, { body: event(uid, '20300105T150000Z', uid) });
      assert.equal(put.status, 201, put.text);
      added += 1;
    });
    assert.ok(visits > 0);
    const listed = await ada.ask('PROPFIND', '/ada/home/', { headers: { Depth: '1' } });
    assert.equal(listed.text.match(/more-\d+\.ics/g)?.length, added);
  });
});
