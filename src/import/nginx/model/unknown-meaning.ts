/** The model meets something that it does not interpret. `decide` makes an outcome of it. */
export class UnknownMeaning extends Error {
  override readonly name: string = 'UnknownMeaning';
}

/** The model does not know a variable. Where it is only the value of a field, the rest of the outcome is known. */
export class UnknownVariable extends UnknownMeaning {
  override readonly name = 'UnknownVariable';

  constructor(variable: string) {
    super(`the variable $${variable}`);
  }
}
