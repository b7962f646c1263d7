import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseServer, type FoundServer, type Place } from '../../../src/cli/control/find-server.ts';

function server(pid: number, directory: string, settingsFile: string | null = null): FoundServer {
  const identity = {
    version: '1',
    name: `site${pid}`,
    pid,
    pid_namespace: null,
    started_at: '',
    directories: [directory],
  };
  return { socket: `/run/${pid}.sock`, identity: { ...identity, settings_file: settingsFile } };
}

const at = (directory: string, change: Partial<Place> = {}): Place => {
  return { directories: [directory], settingsFile: null, isNamed: false, ...change };
};

const SERVERS = [server(1, '/srv/a'), server(2, '/srv/b'), server(3, '/srv/b', '/etc/b.toml')];

describe('chooseServer', () => {
  it('takes the server of this directory', () => assert.equal(chooseServer(SERVERS, at('/srv/a')).identity.pid, 1));

  it('takes the only server from anywhere', () =>
    assert.equal(chooseServer(SERVERS.slice(0, 1), at('/home')).identity.pid, 1));

  it('takes the server of the settings file that the command names', () => {
    const place = at('/srv/b', { settingsFile: '/etc/b.toml', isNamed: true });
    assert.equal(chooseServer(SERVERS, place).identity.pid, 3);
  });

  it('lists all servers when none is of this directory, and those of this directory otherwise', () => {
    const messageAt = (directory: string): string => {
      try {
        chooseServer(SERVERS, at(directory));
      } catch (error) {
        const { message, advice } = error as { message: string; advice: string };
        return `${message} ${advice}`;
      }
      return '';
    };
    assert.match(messageAt('/home'), /3 are running[\s\S]*1\.sock {2}\(site1 in \/srv\/a, process 1\)[\s\S]*3\.sock/);
    assert.match(messageAt('/srv/b'), /2 are running[\s\S]*2\.sock[\s\S]*3\.sock/);
  });

  it('takes no other server when the command names a place', () => {
    const place = at('/srv/c', { isNamed: true });
    assert.throws(() => chooseServer(SERVERS.slice(0, 1), place), { code: 'LISTEN', advice: /1\.sock/ });
  });

  it('takes no other server while one does not answer, which may be the one of this place', () => {
    const silent = ['/run/9.sock'];
    assert.throws(() => chooseServer(SERVERS.slice(0, 1), at('/srv/b'), silent), { advice: /9\.sock/ });
    assert.equal(chooseServer(SERVERS.slice(0, 1), at('/srv/a'), silent).identity.pid, 1);
  });

  it('fails when no server runs', () =>
    assert.throws(() => chooseServer([], at('/srv/a')), { message: /none of this user is running/ }));
});
