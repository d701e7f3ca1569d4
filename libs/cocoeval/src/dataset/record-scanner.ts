/** Annotations and results read straight from bytes into numbers, where they are plain JSON. */
import { type ByteScanner, type Keys, keysOf } from './byte-scanner';
import type { Segmentations } from './segmentations';

/** Reads records of one form. What it read last stays until the next one. */
export class RecordScanner {
  /** The members that are numbers, in the order of their names. */
  readonly numbers: Float64Array;
  readonly box = new Float64Array(4);
  private readonly keys: Keys;
  /** A bit for each member that was there. */
  private found = 0;
  private readonly boxKey: number;
  private readonly maskKey: number;

  /**
   * @param names of members that are numbers.
   * @param readsBox whether to read `bbox`, or else to pass over it.
   * @param masks where to append `segmentation`; undefined to pass over it.
   */
  constructor(
    names: readonly string[],
    private readonly readsBox: boolean,
    private readonly masks: Segmentations | undefined,
  ) {
    this.numbers = new Float64Array(names.length);
    this.keys = keysOf(...names, 'bbox', 'segmentation');
    this.boxKey = names.length;
    this.maskKey = names.length + 1;
  }

  /** @returns false if the record is not plain, has a member twice, or numbers and masks that are none. */
  scan(scanner: ByteScanner): boolean {
    this.found = 0;
    if (!scanner.openObject()) return false;
    do {
      const key = scanner.key(this.keys);
      if (key < 0 || (key < this.keys.length && this.has(key)) || !this.member(scanner, key)) return false;
      this.found |= 1 << key;
    } while (scanner.comma());
    return scanner.closeObject();
  }

  /** Whether a number was there, by its place among the names. */
  has(key: number): boolean {
    return (this.found & (1 << key)) !== 0;
  }

  get hasBox(): boolean {
    return this.has(this.boxKey);
  }

  get hasMask(): boolean {
    return this.has(this.maskKey);
  }

  private member(scanner: ByteScanner, key: number): boolean {
    if (key < this.numbers.length) {
      if (!scanner.number()) return false;
      this.numbers[key] = scanner.value;
      return true;
    }
    if (key === this.boxKey && this.readsBox) return scanner.numbers(4, this.box);
    if (key === this.maskKey && this.masks !== undefined) return this.masks.scan(scanner);
    return scanner.skipValue();
  }
}
