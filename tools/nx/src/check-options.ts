/** The part of a generator's JSON schema that its options are checked against. */
interface OptionSchema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, object | { readonly enum: readonly string[] }>>;
}

export const NAME_PATTERN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Checks a generator's options as Nx's command line does, for callers that are programs.
 * @param generator its name, which starts every message.
 * @throws Error that names the option, what it may be and what it was.
 */
export function checkOptions(
  generator: string,
  schema: OptionSchema,
  options: Readonly<Record<string, unknown>>,
): void {
  const fail = (option: string, expected: string): never => {
    throw new Error(`${generator}: --${option}: expected ${expected}, received '${options[option]}'`);
  };
  for (const option of schema.required) {
    if (options[option] === undefined) throw new Error(`${generator}: --${option} is missing`);
  }
  for (const [option, property] of Object.entries(schema.properties)) {
    const names = 'enum' in property ? property.enum : undefined;
    if (names?.includes(String(options[option])) === false) fail(option, `one of ${names.join(', ')}`);
  }
  if (!NAME_PATTERN.test(String(options['name']))) fail('name', 'small letters, digits and single hyphens');
}
