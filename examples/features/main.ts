/** Feature maps of a picture: `npm start photo.jpg groupmixformer_miny.safetensors`. */
import { createBackbone } from '@pyramidal/backbones';
import { decodeImage, IMAGENET_NORMALISATION, imagesToTensor, resizeImage } from '@pyramidal/images';
import { runProgram } from '@pyramidal/program';
import { openRuntime } from '@pyramidal/runtime';

runProgram('features', async ([picture = 'photo.jpg', weights]) => {
  await openRuntime();
  const backbone = createBackbone('groupmixformer_miny', { weights });
  if (weights === undefined) backbone.initialize(0); // random weights: the shapes are right, the values are not
  const image = resizeImage(await decodeImage(picture), { width: 224, height: 224, convention: 'pillow-bicubic' });
  const maps = backbone.extract(imagesToTensor([image], IMAGENET_NORMALISATION));
  for (const [level, map] of Object.entries(maps)) console.log(level, map.shape); // strides 4, 8, 16, 32
  return 0;
});
