/** The page of a service: a picture is dropped, and what the model finds in it is drawn. It asks for nothing outside. */

/** What the page may do: its own script and style, pictures of the user, requests to the service. */
export const PAGE_POLICY =
  "default-src 'none'; img-src blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'";

export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pyramidal</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; }
  label { display: block; padding: 2rem; border: 2px dashed #888; border-radius: .5rem; text-align: center; cursor: pointer; }
  label.over, label:focus-within { border-color: #2a7ae2; }
  input[type=file] { position: absolute; opacity: 0; }
  canvas { display: block; max-width: 100%; margin: 1rem 0; }
  table { border-collapse: collapse; }
  td, th { padding: .2rem 1rem .2rem 0; text-align: left; }
</style>
<h1>Pyramidal <small id="task"></small></h1>
<label id="drop">Drop a picture here, or choose one<input id="file" type="file" accept="image/*"></label>
<p id="status" role="status"></p>
<canvas id="canvas" hidden></canvas>
<table id="table" hidden><thead><tr><th>class<th>score</thead><tbody></tbody></table>
<script>
const byId = (id) => document.getElementById(id);
const colour = (label, alpha = 1) => 'hsl(' + ((label * 137.5) % 360) + ' 80% 50% / ' + alpha + ')';
fetch('health').then((answer) => answer.json()).then(({ task, classes }) => {
  byId('task').textContent = task + ', ' + classes + ' classes';
});
async function predict(file) {
  byId('status').textContent = 'working ...';
  const picture = await createImageBitmap(file).catch(() => undefined);
  const start = performance.now();
  const answer = await fetch('predict?masks=polygons', { method: 'POST', body: file });
  const found = await answer.json();
  if (!answer.ok) return void (byId('status').textContent = found.error);
  byId('status').textContent = ((performance.now() - start) / 1000).toFixed(2) + ' s';
  const rows = found.objects ?? found.segments ?? found.classes;
  if (picture) draw(picture, rows, found);
  fill(rows);
}
function draw(picture, rows, { width = picture.width, height = picture.height }) {
  const canvas = byId('canvas');
  Object.assign(canvas, { width, height, hidden: false });
  canvas.setAttribute('aria-label', rows.map(({ name }) => name).join(', '));
  const pen = canvas.getContext('2d');
  pen.drawImage(picture, 0, 0, width, height);
  const line = Math.max(2, Math.round(Math.max(width, height) / 400));
  for (const { label, name, score, box, polygons = [] } of rows.filter(({ score = 1 }) => score >= 0.3)) {
    pen.fillStyle = colour(label, 0.4);
    for (const polygon of polygons) {
      pen.beginPath();
      for (let i = 0; i < polygon.length; i += 2) pen.lineTo(polygon[i], polygon[i + 1]);
      pen.fill();
    }
    if (!box) continue;
    const [x1, y1, x2, y2] = box;
    Object.assign(pen, { strokeStyle: colour(label), lineWidth: line, font: 6 * line + 'px system-ui' });
    pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const text = name + ' ' + score.toFixed(2);
    pen.fillStyle = colour(label);
    pen.fillRect(x1, Math.max(0, y1 - 8 * line), pen.measureText(text).width + 2 * line, 8 * line);
    pen.fillStyle = '#fff';
    pen.fillText(text, x1 + line, Math.max(8 * line, y1) - 2 * line);
  }
}
function fill(rows) {
  const body = byId('table').tBodies[0];
  body.replaceChildren(...rows.map(({ name, score, share, probability }) => {
    const row = document.createElement('tr');
    for (const text of [name, (score ?? share ?? probability).toFixed(3)]) row.insertCell().textContent = text;
    return row;
  }));
  byId('table').hidden = false;
}
const drop = byId('drop');
byId('file').addEventListener('change', ({ target }) => target.files[0] && predict(target.files[0]));
for (const kind of ['dragover', 'dragleave', 'drop']) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', kind === 'dragover');
    if (kind === 'drop' && event.dataTransfer.files[0]) predict(event.dataTransfer.files[0]);
  });
}
</script>
</html>
`;
