/** What a service loads that opens a trained model: the model, and none of the commands. */
it('opens a model without loading the command line', async () => {
  for (const name of ['@pyramidal/task', '@pyramidal/serving', 'commander']) {
    jest.doMock(name, () => {
      throw new Error(`${name} is loaded`);
    });
  }
  const { openSegmentor, segmentation } = await import('./index.js');
  expect(openSegmentor).toBeInstanceOf(Function);
  await expect(segmentation.serve({} as never)).rejects.toThrow(/@pyramidal\/(task|serving) is loaded/);
});
