/** The page of objects: an exported detector and a picture in, the objects in it out. */
import type { RgbImage } from '@pyramidal/images/portable';
import { acceptFiles } from './accept-files';
import { drawObjects } from './draw-objects';
import { ENGINES, openEngine, type Engine } from './engines';
import { timed } from './features';
import { type FoundObject, GraphDetector } from './graph-detector';
import { announce, download, duration, element, enqueue, nameOfAddress, offer, showFigures, tell } from './page';
import { decodePicture } from './picture';

const choices = {
  engine: element<HTMLSelectElement>('engine'),
  score: element<HTMLInputElement>('score'),
};

let model: readonly File[] | undefined;
let picture: RgbImage | undefined;
let objects: readonly FoundObject[] = [];
/** The detector on an engine, kept until model or engine change. */
let opened: { readonly engine: Engine; readonly detail: string; readonly detector: GraphDetector } | undefined;

async function takeModel(files: readonly File[]): Promise<void> {
  model = files;
  close();
  element('model-name').textContent = `${files.length} files`;
  await update();
}

async function takePicture(file: Blob, name: string): Promise<void> {
  await announce(`Decoding ${name}`);
  picture = await decodePicture(file, name, 'from-image');
  element('picture-name').textContent = `${name}, ${picture.width} × ${picture.height}`;
  await update();
}

/** Looks for objects as the page now stands. */
async function update(): Promise<void> {
  if (!model) return tell('idle', 'Drop a detector to begin.');
  const { engine, detail, detector } = await openDetector(model);
  element('model-name').textContent =
    `${detector.classes.length} classes, ${detector.canvas.width} × ${detector.canvas.height}`;
  if (!picture) return tell('idle', 'Drop a picture.');
  await announce(`Running on ${engine}`);
  const seen = picture;
  const first = await timed(() => detector.detect(seen));
  const warm = await timed(() => detector.detect(seen));
  objects = first.result;
  showFigures({
    Engine: `${engine}, ${detail}`,
    'First run': duration(first.milliseconds),
    'Warm run': duration(warm.milliseconds),
  });
  show();
}

async function openDetector(files: readonly File[]): Promise<NonNullable<typeof opened>> {
  const choice = choices.engine.value as Engine | 'auto';
  if (opened && (choice === 'auto' || choice === opened.engine)) return opened;
  close();
  await announce('Opening the engine');
  const { engine, detail } = await openEngine(choice);
  await announce('Loading the detector');
  return (opened = { engine, detail, detector: await GraphDetector.open(files) });
}

function close(): void {
  opened?.detector.dispose();
  opened = undefined;
}

/** Shows what has the score that is asked for. */
function show(): void {
  if (!picture) return;
  const shown = objects.filter(({ score }) => score >= choices.score.valueAsNumber);
  drawObjects(element('objects'), picture, shown);
  element<HTMLTableElement>('list').tBodies[0]!.replaceChildren(
    ...shown.map(({ name, score, box }) => {
      const row = document.createElement('tr');
      for (const text of [name, score.toFixed(3), box.map(Math.round).join(', ')]) row.insertCell().textContent = text;
      return row;
    }),
  );
  document.body.dataset['shown'] = 'true';
  tell('ready', `${shown.length} of ${objects.length} objects have a score of ${choices.score.value} or more`);
}

/** `?model=URL&image=URL&engine=NAME&score=NUMBER`, the model being the address of its model.json. */
function followAddress(): void {
  const asked = new URLSearchParams(location.search);
  for (const key of ['engine', 'score'] as const) {
    const value = asked.get(key);
    if (value !== null) choices[key].value = value;
  }
  const [address, image] = [asked.get('model'), asked.get('image')];
  if (address !== null) enqueue(async () => takeModel(await downloadModel(address)));
  if (image !== null) enqueue(async () => takePicture(await download(image), nameOfAddress(image)));
}

/** What `model.json` lists is beside it. */
async function downloadModel(address: string): Promise<File[]> {
  const topology = await download(address);
  const { weightsManifest = [] } = JSON.parse(await topology.text()) as { weightsManifest?: { paths: string[] }[] };
  const paths = weightsManifest.flatMap((group) => group.paths);
  const folder = address.slice(0, address.lastIndexOf('/') + 1);
  const weights = await Promise.all(paths.map(async (path) => new File([await download(folder + path)], path)));
  return [new File([topology], nameOfAddress(address)), ...weights];
}

offer(choices.engine, ENGINES);
acceptFiles(element('model-drop'), (files) => enqueue(() => takeModel(files)));
acceptFiles(element('picture-drop'), ([file]) => enqueue(() => takePicture(file, file.name)));
choices.engine.addEventListener('change', () => enqueue(update));
choices.score.addEventListener('input', () => objects.length > 0 && show());
followAddress();
