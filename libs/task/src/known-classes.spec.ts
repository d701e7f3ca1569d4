import { requireKnownClasses } from './known-classes';

describe('requireKnownClasses', () => {
  const known = [
    { id: 3, name: 'cat', colour: [0, 0, 0] as const },
    { id: 8, name: 'dog', colour: [0, 0, 0] as const },
  ];
  const [cat, dog] = known;

  it('takes the same classes, and any where the checkpoint tells none', () => {
    expect(() => requireKnownClasses(known, { name: 'data.val', classes: known })).not.toThrow();
    expect(() => requireKnownClasses(undefined, { name: 'data.val', classes: [] })).not.toThrow();
  });

  it.each([
    [[cat!, { ...dog!, name: 'wolf' }], "label 1 is 'dog' (8) there and 'wolf' (8) here"],
    [[cat!, { ...dog!, id: 9 }], "label 1 is 'dog' (8) there and 'dog' (9) here"],
    [[cat!], "label 1 is 'dog' (8) there and no class here"],
    [[cat!, dog!, { ...dog!, id: 10 }], "label 2 is no class there and 'dog' (10) here"],
  ])('names the first class that differs, case %#', (classes, expected) => {
    const message = `data.val: expected the classes of the checkpoint: ${expected}`;
    expect(() => requireKnownClasses(known, { name: 'data.val', classes })).toThrow(message);
  });
});
