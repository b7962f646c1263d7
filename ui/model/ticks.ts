/** Round steps for a time axis: about `wanted` of them between `from` and `to`. */
export function ticks(from: number, to: number, wanted: number): readonly number[] {
  const rough = (to - from) / wanted;
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, index) => first + index * step);
}
