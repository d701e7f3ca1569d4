/** Networks as trees of modules, whose fields name the parameters as PyTorch's state_dict does. */
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

  /** Every module below this one under its path, shared ones under the first. */
  modules(): Map<string, Module> {
    const names = new Map<Module, string>();
    for (const [name, module] of this.walkModules()) if (!names.has(module)) names.set(module, name);
    return new Map([...names].map(([module, name]) => [name, module]));
  }

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

  /** What training changes of `state()`: neither running statistics nor what is frozen. */
  parameters(): Map<string, Parameter> {
    return new Map([...this.state()].filter(([, { trainable, isFrozen }]) => trainable && !isFrozen));
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

  /** Number of trainable values, frozen or not. */
  parameterCount(): number {
    return [...this.state().values()].reduce((sum, { trainable, size }) => (trainable ? sum + size : sum), 0);
  }

  /**
   * Takes this part out of training, or back into it: `parameters()` leaves it out, and in training it runs as at
   * inference, on running statistics and dropping nothing. Optimizers made before do not notice.
   */
  freeze(isFrozen = true): void {
    for (const parameter of this.state().values()) parameter.isFrozen = isFrozen;
  }

  /** Whether nothing in here trains. */
  get isFrozen(): boolean {
    const state = [...this.state().values()];
    return state.length > 0 && state.every(({ isFrozen }) => isFrozen);
  }

  /** Draws every parameter anew, each from the seed and its own name, whatever else the model holds. */
  initialize(seed: number): void {
    for (const [name, parameter] of this.state()) parameter.initialize(hashText(`${seed}/${name}`));
  }

  dispose(): void {
    for (const parameter of this.state().values()) parameter.dispose();
  }

  private *walk(prefix = ''): Generator<[string, Parameter]> {
    const own = this.fields().filter((field): field is [string, Parameter] => field[1] instanceof Parameter);
    for (const [name, parameter] of own) if (parameter.trainable) yield [prefix + name, parameter];
    for (const [name, parameter] of own) if (!parameter.trainable) yield [prefix + name, parameter];
    for (const [path, module] of this.children(prefix)) yield* module.walk(path);
  }

  private *walkModules(prefix = ''): Generator<[string, Module]> {
    for (const [path, module] of this.children(prefix)) {
      yield [path.slice(0, -1), module];
      yield* module.walkModules(path);
    }
  }

  private *children(prefix: string): Generator<[string, Module]> {
    for (const [name, value] of this.fields()) yield* modulesIn(value, name === '' ? prefix : `${prefix}${name}.`);
  }

  private fields(): [string, unknown][] {
    return Object.entries(this).map(([field, value]) => [this.officialNames?.[field] ?? snakeCase(field), value]);
  }
}

function* modulesIn(value: unknown, prefix: string): Generator<[string, Module]> {
  if (value instanceof Module) yield [prefix, value];
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* modulesIn(item, `${prefix}${index}.`);
  }
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
