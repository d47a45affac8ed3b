// The echo test: keeps a number of messages on their way to /echo and back, and draws rate and round-trip time.
(() => {
  'use strict';

  const element = id => document.getElementById(id);
  const chart = element('echo-chart'), button = element('echo-start');

  const interval = 250;  // milliseconds for one point of the chart
  const points = 120;

  let socket = null;
  let payload = '';
  let sent = [], first = 0;  // when the messages on their way were sent; those before `first` are back
  let trips = [];            // round-trip times of this interval
  let history = [];          // of { rate, trip }
  let since = 0, timer = 0;

  // ---- Measuring

  function send() {
    sent.push(performance.now());
    socket.send(payload);
  }

  function received(event) {
    if (event.data !== payload) return stop('an echo differed from what was sent');
    trips.push(performance.now() - sent[first++]);
    if (first === 4096) {
      sent = sent.slice(first);
      first = 0;
    }
    send();
  }

  function measure() {
    const now = performance.now();
    const seconds = (now - since) / 1000;
    since = now;
    trips.sort((a, b) => a - b);
    const rate = trips.length / seconds;
    const trip = trips.length ? trips[trips.length >> 1] : null;
    history = [...history, { rate, trip }].slice(-points);
    element('echo-rate').textContent = Math.round(rate).toLocaleString();
    element('echo-bytes').textContent = (rate * payload.length / 1e6).toFixed(1);
    if (trip !== null) {
      element('echo-trip').textContent = milliseconds(trip);
      element('echo-slow').textContent = milliseconds(trips[Math.floor(trips.length * 0.99)]);
    }
    trips = [];
    draw();
  }

  const milliseconds = value => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

  function start() {
    payload = 'wsio '.repeat(60000).slice(0, Number(element('echo-size').value));
    sent = [];
    first = 0;
    trips = [];
    const depth = Number(element('echo-depth').value);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const mine = socket = new WebSocket(`${scheme}://${location.host}/echo`);
    running('connecting');
    mine.onopen = () => {
      running('running');
      since = performance.now();
      timer = setInterval(measure, interval);
      for (let i = 0; i < depth; ++i) send();
    };
    mine.onmessage = event => {
      if (mine === socket) received(event);
    };
    mine.onclose = ({ code }) => {
      if (mine === socket) stop(code === 1001 ? 'the server has stopped' : 'the connection was lost');
    };
  }

  function stop(why = 'stopped') {
    clearInterval(timer);
    const old = socket;
    socket = null;
    old.close();
    running(why);
    draw();
  }

  function running(state) {
    element('echo-state').textContent = state;
    button.textContent = socket ? 'Stop' : 'Start';
  }

  // ---- Drawing

  function draw() {
    const scale = devicePixelRatio || 1;
    const width = chart.clientWidth, height = chart.clientHeight;
    chart.width = width * scale;
    chart.height = height * scale;
    const context = chart.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(chart);
    const color = name => style.getPropertyValue(name).trim();
    context.font = `12px ${style.fontFamily}`;
    const half = height / 2;
    panel(history.map(point => point.rate), 0, half, color('--accent'), top => `messages per second, up to ${Math.round(top).toLocaleString()}`);
    panel(history.map(point => point.trip), half, half, color('--warm'), top => `round trip, up to ${milliseconds(top)} ms`);

    function panel(values, y, tall, stroke, title) {
      const known = values.filter(value => value !== null);
      const top = Math.max(...known, 0);
      const base = y + tall - 8;
      const x = i => 12 + (width - 24) * (points - values.length + i) / (points - 1);
      const up = value => base - (tall - 36) * value / (top || 1);
      context.strokeStyle = color('--line');
      context.lineWidth = 1;
      for (const share of [0, 0.5, 1]) {
        context.beginPath();
        context.moveTo(12, Math.round(base - (tall - 36) * share) + 0.5);
        context.lineTo(width - 12, Math.round(base - (tall - 36) * share) + 0.5);
        context.stroke();
      }
      context.fillStyle = color('--soft');
      context.fillText(known.length ? title(top) : title(0).split(',')[0], 12, y + 18);
      if (!known.length) return;

      const line = new Path2D();
      values.forEach((value, i) => { if (value !== null) line.lineTo(x(i), up(value)); });
      const start = values.findIndex(value => value !== null), end = values.findLastIndex(value => value !== null);
      const area = new Path2D(line);
      area.lineTo(x(end), base);
      area.lineTo(x(start), base);
      context.globalAlpha = 0.16;
      context.fillStyle = stroke;
      context.fill(area);
      context.globalAlpha = 1;
      context.strokeStyle = stroke;
      context.lineWidth = 2;
      context.lineJoin = 'round';
      context.stroke(line);
      context.beginPath();
      context.arc(x(end), up(values[end]), 3.5, 0, 7);
      context.fill();
    }
  }

  element('echo-form').addEventListener('submit', event => {
    event.preventDefault();
    if (socket) stop(); else start();
  });
  for (const id of ['echo-size', 'echo-depth'])
    element(id).addEventListener('change', () => {
      if (!socket) return;
      stop();
      start();
    });
  new ResizeObserver(draw).observe(chart);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
