/** What a service loads that opens a trained model: the model, and none of the commands. */
it('opens a model without loading the command line', async () => {
  for (const name of ['@pyramidal/task', '@pyramidal/serving', 'commander']) {
    jest.doMock(name, () => {
      throw new Error(`${name} is loaded`);
    });
  }
  const { openDetector, detection } = await import('./index.js');
  expect(openDetector).toBeInstanceOf(Function);
  await expect(detection.serve({} as never)).rejects.toThrow(/@pyramidal\/(task|serving) is loaded/);
});
