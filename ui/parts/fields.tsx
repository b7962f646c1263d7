import type { Field } from '../../src/trace/document.ts';

/** Names and values. A value keeps its white space and breaks where it must. */
export function Fields({ fields, label }: { readonly fields: readonly Field[]; readonly label: string }) {
  return (
    <table class="fields">
      <caption class="hidden">{label}</caption>
      <tbody>
        {fields.map(([name, value], index) => (
          <tr key={index}>
            <th scope="row">{name}</th>
            <td class={value === '[redacted]' ? 'redacted' : ''}>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
