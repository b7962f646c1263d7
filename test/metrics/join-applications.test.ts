import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetricFamily } from '../../src/metrics/family.ts';
import { joinApplications } from '../../src/metrics/join-applications.ts';

function family(name: string, type: MetricFamily['type'], labels: Readonly<Record<string, string>> = {}): MetricFamily {
  return { name, type, help: '', unit: '', samples: [{ suffix: '', labels, value: 1 }] };
}

const NONE: ReadonlySet<string> = new Set();

describe('the metrics of applications', () => {
  it('have no further label when there is one application', () => {
    const orders = family('orders', 'gauge', { kind: 'book' });
    assert.deepEqual(joinApplications([['main', [orders]]], NONE), { families: [orders], refused: [] });
  });

  it('have the name of the application when there are several, in one family of each name', () => {
    const applications = [
      ['main', [family('orders', 'gauge', { kind: 'book' })]],
      ['blog', [family('orders', 'gauge', { application: 'x' }), family('posts', 'gauge')]],
    ] as const;
    const { families } = joinApplications(applications, NONE);
    assert.deepEqual(
      families.map(({ name, samples }) => [name, samples.map(({ labels }) => labels)]),
      [
        [
          'orders',
          [
            { kind: 'book', application: 'main' },
            { exported_application: 'x', application: 'blog' },
          ],
        ],
        ['posts', [{ application: 'blog' }]],
      ],
    );
  });

  it('keep their labels as the same objects from time to time', () => {
    const applications = [
      ['main', [family('orders', 'gauge', { kind: 'book' })]],
      ['blog', []],
    ] as const;
    const labels = () => joinApplications(applications, NONE).families[0]?.samples[0]?.labels;
    assert.equal(labels(), labels());
  });

  it('are left out when the server or an earlier application has another metric of the name', () => {
    const { families, refused } = joinApplications(
      [
        ['main', [family('orders', 'gauge'), family('http_requests', 'counter')]],
        ['blog', [family('orders', 'counter')]],
      ],
      new Set(['http_requests']),
    );
    assert.deepEqual(
      families.map(({ name }) => name),
      ['orders'],
    );
    assert.deepEqual(refused, [
      'http_requests of application main: the server has a metric of this name',
      'orders of application blog: another application has a gauge of this name',
    ]);
  });
});
