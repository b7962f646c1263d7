import type { MetricFamily, MetricSample } from './family.ts';

type Labels = MetricSample['labels'];

/** The metrics of an application, with its name. */
export type NamedFamilies<F extends MetricFamily> = readonly [application: string, families: readonly F[]];

export interface JoinedFamilies<F extends MetricFamily> {
  readonly families: readonly F[];
  /** The metrics that are left out, in words: a metric cannot be there twice (OpenMetrics 1.0, "MetricSet"). */
  readonly refused: readonly string[];
}

/**
 * The metrics of all applications, as part of one exposition. With more than one application, each sample has the label `application`; such a
 * label of the application's own becomes `exported_application`, as Prometheus does it.
 *
 * @param taken names of metrics of the server
 */
export function joinApplications<F extends MetricFamily>(
  applications: readonly NamedFamilies<F>[],
  taken: ReadonlySet<string>,
): JoinedFamilies<F> {
  const joined = new Map<string, F>();
  const refused: string[] = [];
  for (const [application, families] of applications) {
    for (const family of families) {
      const { name } = family;
      const before = joined.get(name);
      if (taken.has(name)) refused.push(`${name} of application ${application}: the server has a metric of this name`);
      else if (before !== undefined && before.type !== family.type)
        refused.push(`${name} of application ${application}: another application has a ${before.type} of this name`);
      else {
        const own = applications.length === 1 ? family.samples : labelled(family.samples, application);
        joined.set(name, before === undefined ? { ...family, samples: own } : joinedWith(before, own));
      }
    }
  }
  return { families: [...joined.values()], refused };
}

function joinedWith<F extends MetricFamily>(family: F, samples: readonly MetricSample[]): F {
  return { ...family, samples: [...family.samples, ...samples] };
}

function labelled(samples: readonly MetricSample[], application: string): MetricSample[] {
  return samples.map((sample) => ({ ...sample, labels: labelsWith(sample.labels, application) }));
}

/** The labels of a series stay the same object, from which writers remember their text. */
const withApplication = new WeakMap<Labels, Labels>();

function labelsWith(labels: Labels, application: string): Labels {
  const known = withApplication.get(labels);
  if (known?.application === application) return known;
  const { application: own, ...others } = labels;
  const more = { ...others, ...(own === undefined ? {} : { exported_application: own }), application };
  withApplication.set(labels, more);
  return more;
}
