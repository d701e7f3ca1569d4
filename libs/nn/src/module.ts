import { Parameter } from './parameter';
import { hashText } from './random';

/**
 * A part of a network that owns parameters and other modules as fields. The fields name the parameters: the path from
 * the root, in snake case, is the reference implementation's state_dict key (`convStem.proj1.weight` is
 * `conv_stem.proj1.weight`; arrays count as PyTorch's lists do).
 */
export abstract class Module {
  /** Official names of fields that snake case does not give; '' leaves a field's own level out of the path. */
  protected readonly officialNames?: Readonly<Record<string, string>>;

  /** Every parameter and buffer under its official name, in state_dict order; shared ones once, under the first name. */
  state(): Map<string, Parameter> {
    const state = new Map<string, Parameter>();
    const seen = new Set<Parameter>();
    for (const [name, parameter] of this.walk()) {
      if (!seen.has(parameter)) state.set(name, parameter);
      seen.add(parameter);
    }
    return state;
  }

  /** The trainable part of `state()`. */
  parameters(): Map<string, Parameter> {
    return new Map([...this.state()].filter(([, parameter]) => parameter.trainable));
  }

  /** The running statistics in `state()`. */
  buffers(): Map<string, Parameter> {
    return new Map([...this.state()].filter(([, parameter]) => !parameter.trainable));
  }

  /** Further names of shared parameters -> the name that `state()` lists them under. */
  aliases(): Map<string, string> {
    const first = new Map<Parameter, string>();
    const aliases = new Map<string, string>();
    for (const [name, parameter] of this.walk()) {
      const known = first.get(parameter);
      if (known === undefined) first.set(parameter, name);
      else aliases.set(name, known);
    }
    return aliases;
  }

  /** Number of trainable values. */
  parameterCount(): number {
    return [...this.parameters().values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Draws every parameter anew, each from the seed and its own name, whatever else the model holds. */
  initialize(seed: number): void {
    for (const [name, parameter] of this.state()) parameter.initialize(hashText(`${seed}/${name}`));
  }

  dispose(): void {
    for (const parameter of this.state().values()) parameter.dispose();
  }

  private *walk(prefix = ''): Generator<[string, Parameter]> {
    const fields = Object.entries(this).map(([field, value]) => [
      this.officialNames?.[field] ?? snakeCase(field),
      value,
    ]);
    const own = fields.filter((field): field is [string, Parameter] => field[1] instanceof Parameter);
    for (const [name, parameter] of own) if (parameter.trainable) yield [prefix + name, parameter];
    for (const [name, parameter] of own) if (!parameter.trainable) yield [prefix + name, parameter];
    for (const [name, value] of fields) yield* Module.walkField(name === '' ? prefix : `${prefix}${name}.`, value);
  }

  private static *walkField(prefix: string, value: unknown): Generator<[string, Parameter]> {
    if (value instanceof Module) yield* value.walk(prefix);
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) yield* Module.walkField(`${prefix}${index}.`, item);
    }
  }
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
