/** What a conversion cannot carry over, by name: file, record, field, reason. */

export interface Loss {
  readonly file: string;
  /** Where in the file: `line 3`, `image 2, box 1`. */
  readonly record: string;
  readonly field: string;
  readonly reason: string;
}

/** An image, an object or an object's mask is gone; or only something that is said of it. */
export type LossKind = 'image' | 'object' | 'mask' | 'field';

export interface CountedLoss extends Loss {
  readonly kind: LossKind;
}

/** Losses that are kept one by one; the others are counted. */
const KEPT = 1000;

/** Losses of one kind, for one reason. */
interface Group {
  count: number;
  readonly first: CountedLoss;
}

export class Losses {
  /** The first thousand. */
  readonly records: CountedLoss[] = [];
  private readonly groups = new Map<string, Group>();
  private readonly counts: Record<LossKind, number> = { image: 0, object: 0, mask: 0, field: 0 };

  /** Several as one. */
  static of(...parts: readonly Losses[]): Losses {
    const whole = new Losses();
    for (const { records, groups, counts } of parts) {
      whole.records.push(...records.slice(0, KEPT - whole.records.length));
      for (const kind of Object.keys(counts) as LossKind[]) whole.counts[kind] += counts[kind];
      for (const [key, { count, first }] of groups) {
        const group = whole.groups.get(key);
        if (group === undefined) whole.groups.set(key, { count, first });
        else group.count += count;
      }
    }
    return whole;
  }

  add(kind: LossKind, loss: Loss): void {
    const record = { kind, ...loss };
    this.counts[kind]++;
    if (this.records.length < KEPT) this.records.push(record);
    const key = JSON.stringify([kind, loss.field, loss.reason]);
    const group = this.groups.get(key);
    if (group === undefined) this.groups.set(key, { count: 1, first: record });
    else group.count++;
  }

  /** Losses of one kind. */
  count(kind: LossKind): number {
    return this.counts[kind];
  }

  /** Whether every image, object and mask is carried over. */
  get isComplete(): boolean {
    return this.counts.image + this.counts.object + this.counts.mask === 0;
  }

  /** One line a reason, images first. */
  lines(): string[] {
    const order: readonly LossKind[] = ['image', 'object', 'mask', 'field'];
    const sorted = [...this.groups.values()].sort((a, b) => order.indexOf(a.first.kind) - order.indexOf(b.first.kind));
    return sorted.map(({ count, first: { kind, file, record, field, reason } }) => {
      const what = kind === 'field' ? `${count} times a field is` : `${count} ${kind}${count === 1 ? ' is' : 's are'}`;
      return `${what} not carried over: ${field}: ${reason}; the first: ${file}${record === '' ? '' : `: ${record}`}`;
    });
  }
}
