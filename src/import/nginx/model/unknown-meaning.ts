/** The model meets something that it does not interpret. `decide` makes an outcome of it. */
export class UnknownMeaning extends Error {
  override readonly name = 'UnknownMeaning';
}
