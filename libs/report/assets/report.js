/* Draws the charts of the page and sorts its tables. Colours are Okabe and Ito's, which the colour-blind tell apart. */
/* global Chart, document, getComputedStyle, matchMedia */
(() => {
  const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a7a7a', '#b8a800'];
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue('--ink').trim();
  const line = () => getComputedStyle(document.documentElement).getPropertyValue('--line').trim();

  const axis = (name, rest) => ({
    title: { display: name !== '', text: name, color: ink() },
    ticks: { color: ink() },
    grid: { color: line() },
    ...rest,
  });

  function dataset({ name, points, style, colour: own }, i, { kind, isHorizontal }) {
    const colour = COLOURS[(own ?? i) % COLOURS.length];
    const data = points.map(([x, y]) => (isHorizontal ? { x: y, y: x } : { x, y }));
    const look = {
      borderColor: colour,
      backgroundColor: kind === 'bar' ? colour : colour + '40',
    };
    if (kind === 'bar') return { label: name, data, ...look };
    const dots = style === 'dots' || points.length < 2;
    return {
      label: name,
      data,
      ...look,
      borderWidth: 2,
      tension: 0,
      showLine: style !== 'dots',
      borderDash: style === 'dashed' ? [6, 4] : [],
      pointRadius: dots ? 4 : 0,
      pointHitRadius: 8,
    };
  }

  function draw(figure) {
    const canvas = figure.querySelector('canvas');
    const chart = JSON.parse(figure.querySelector('script').textContent);
    const values = { ...(chart.yRange && { min: chart.yRange[0], max: chart.yRange[1] }) };
    const scale = chart.isLogarithmic ? 'logarithmic' : 'linear';
    const along = axis(chart.xLabel, { type: chart.kind === 'bar' ? 'category' : 'linear' });
    const up = axis(chart.yLabel, { type: scale, ...values });
    Chart.getChart(canvas)?.destroy();
    new Chart(canvas, {
      type: chart.kind,
      data: { datasets: chart.series.map((series, i) => dataset(series, i, chart)) },
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: chart.isHorizontal ? 'y' : 'x',
        interaction: { mode: 'nearest', axis: chart.isHorizontal ? 'y' : 'x', intersect: false },
        scales: chart.isHorizontal ? { x: up, y: along } : { x: along, y: up },
        plugins: {
          legend: {
            display: chart.series.length > 1 || chart.series[0]?.colour !== undefined,
            labels: { color: ink() },
          },
        },
      },
    });
  }

  const drawAll = () => document.querySelectorAll('figure.chart').forEach(draw);
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);

  function sortBy(table, column) {
    const heads = [...table.querySelectorAll('thead th')];
    const falls = heads[column].getAttribute('aria-sort') !== 'descending';
    heads.forEach((head, i) =>
      i === column
        ? head.setAttribute('aria-sort', falls ? 'descending' : 'ascending')
        : head.removeAttribute('aria-sort'),
    );
    const keyOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [keyOf(a), keyOf(b)];
      const [hasX, hasY] = [x !== '–', y !== '–'];
      if (hasX !== hasY) return hasX ? -1 : 1;
      const order = Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? y.localeCompare(x) : Number(y) - Number(x);
      return falls ? order : -order;
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  }

  document.querySelectorAll('table.sortable').forEach((table) => {
    table
      .querySelectorAll('thead button')
      .forEach((button, i) => button.addEventListener('click', () => sortBy(table, i)));
  });

  /* A choice shows the chart that is chosen. */
  document.querySelectorAll('.choice select').forEach((select) => {
    select.addEventListener('change', () => {
      const figure = document.getElementById(select.dataset.target);
      const chosen = document.getElementById(select.value).content.querySelector('script').textContent;
      figure.querySelector('script').textContent = chosen;
      figure.querySelector('figcaption').textContent = JSON.parse(chosen).title;
      draw(figure);
    });
  });
})();
