// The chat: one WebSocket to /chat with the subprotocol "json". main.cpp says what is spoken.
(() => {
  'use strict';

  const element = id => document.getElementById(id);
  const status = element('status'), messages = element('messages'), banner = element('banner');
  const nameForm = element('name-form'), nameField = element('name'), composer = element('composer'), textField = element('text');

  const messagesKept = 300;
  const longestWait = 15000;  // milliseconds

  let socket = null;
  let name = remembered();
  let own = 0;                 // the id that the server knows this page by
  let people = new Map();
  let room = 0, lastLine = 0;  // to tell which lines are new after a reconnection
  let lastBy = {};
  let attempts = 0, retryTimer = 0, retryAt = 0;
  let atEnd = true;            // the last message is seen, and is to be when more come or the room for them shrinks
  let height = messages.clientHeight;
  let unread = 0;

  // Elements are made with text nodes only; nothing that a guest wrote is ever parsed as HTML.
  function make(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function badge(protocol) {
    const made = make('span', 'badge', protocol);
    made.dataset.protocol = protocol;
    return made;
  }

  function avatar(name) {
    const made = make('span', 'avatar', [...name][0].toUpperCase());
    let hue = 7;
    for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
    made.style.setProperty('--hue', hue);
    made.setAttribute('aria-hidden', 'true');
    return made;
  }

  function remembered() {
    try { return localStorage.getItem('wsio.name') || ''; } catch { return ''; }
  }

  function remember(chosen) {
    name = chosen;
    try { localStorage.setItem('wsio.name', chosen); } catch { /* private browsing: not remembered */ }
  }

  // ---- What is shown

  function show(state, text) {
    status.dataset.state = state;
    element('status-text').textContent = text;
    composer.querySelector('button').disabled = state !== 'open';
  }

  function append(item) {
    item.classList.add('new');
    messages.append(item);
    while (messages.childElementCount > messagesKept) messages.firstElementChild.remove();
    element('empty').hidden = true;
    element('newer').hidden = atEnd;
    if (atEnd) scrollToEnd();
  }

  function scrollToEnd() {
    messages.scrollTop = messages.scrollHeight;
  }

  function note(...children) {
    lastBy = {};
    append(make('div', 'note', ...children));
  }

  function showLine({ id, person, text, at }) {
    if (id <= lastLine) return;
    lastLine = id;
    const date = new Date(at);
    const time = make('time', '', date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
    time.dateTime = date.toISOString();
    const words = make('div', 'text', text);
    words.dir = 'auto';
    const by = make('div', 'by', make('bdi', '', person.name), badge(person.protocol), time);
    const item = make('div', 'message', avatar(person.name), by, words);
    item.classList.toggle('own', person.id === own);
    item.classList.toggle('same', lastBy.id === person.id && lastBy.name === person.name && at - lastBy.at < 120000);
    append(item);
    lastBy = { id: person.id, name: person.name, at };
    if (document.hidden) document.title = `(${++unread}) wsio demo`;
  }

  function showPeople() {
    const items = [...people.values()].map(person => {
      const item = make('li', '', avatar(person.name), make('bdi', '', person.name));
      if (person.id === own) item.append(make('span', 'you', 'you'));
      item.append(badge(person.protocol));
      return item;
    });
    element('people').replaceChildren(...items);
    element('people-count').textContent = people.size || '–';
    element('own-name').textContent = people.get(own)?.name || name;
  }

  // Shows the form for the name, or the one for messages.
  function askName(asking) {
    nameForm.hidden = !asking;
    composer.hidden = asking;
    element('change-name').hidden = asking;
    element('name-submit').textContent = socket ? 'Change' : 'Join';
    element('name-cancel').hidden = !socket;
    nameField.value = name;
  }

  // ---- What the server tells

  const told = {
    welcome({ room: opened, id, people: present, lines }) {
      if (opened !== room) lastLine = 0;
      room = opened;
      own = id;
      people = new Map(present.map(person => [person.id, person]));
      lines.forEach(showLine);
      showPeople();
      show('open', `Connected over ${people.get(own).protocol}`);
    },
    joined({ person }) {
      people.set(person.id, person);
      showPeople();
      note(make('bdi', '', person.id === own ? 'You' : person.name), ' joined over ', badge(person.protocol));
    },
    left({ person }) {
      people.delete(person.id);
      showPeople();
      note(make('bdi', '', person.name), ' left');
    },
    renamed({ person, before }) {
      people.set(person.id, person);
      showPeople();
      note(make('bdi', '', before), person.id === own ? ' (you) is now ' : ' is now ', make('bdi', '', person.name));
    },
    line: showLine,
    notice({ text }) {
      note(text);
      messages.lastElementChild.classList.add('private');
    },
  };

  // ---- The connection

  function connect() {
    clearInterval(retryTimer);
    if (banner.hidden) show('connecting', 'Connecting…');
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const mine = socket = new WebSocket(`${scheme}://${location.host}/chat?name=${encodeURIComponent(name)}`, 'json');
    mine.onopen = () => {
      attempts = 0;
      banner.hidden = true;
    };
    mine.onmessage = event => {
      const news = JSON.parse(event.data);
      told[news.type]?.(news);
    };
    mine.onclose = event => {
      if (mine === socket) closed(event);
    };
  }

  function closed({ code, reason, wasClean }) {
    const wasOpen = status.dataset.state === 'open';
    socket = null;
    people.clear();
    showPeople();
    if (wasOpen) status.dataset.closeCode = code;
    if (code === 1000) {
      show('idle', 'Not connected');
      note('You left', reason && `: ${reason}`);
      askName(true);
      return;
    }
    const why = !wasOpen ? 'The server cannot be reached'
      : code === 1001 ? 'The server has stopped'
      : wasClean ? `The server closed the connection${reason && `: ${reason}`}`
      : 'The connection was lost';
    if (wasOpen) note(`${why} (${code})`);
    if (banner.hidden) {  // else an attempt to reconnect failed, and the first cause still stands
      show('lost', code === 1001 ? 'Server stopped' : wasOpen ? 'Connection lost' : 'No connection');
      element('banner-title').textContent = why;
      banner.hidden = false;
    }
    const wait = Math.min(longestWait, 500 * 2 ** attempts++);
    retryAt = Date.now() + wait * (0.8 + 0.4 * Math.random());  // not all pages at one time
    retryTimer = setInterval(countDown, 250);
    countDown();
  }

  function countDown() {
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    element('banner-countdown').textContent = `Reconnecting in ${Math.max(seconds, 0)} s`;
    if (Date.now() >= retryAt) connect();
  }

  function retryNow() {
    if (!banner.hidden && !socket) connect();
  }

  // ---- What the user does

  nameForm.addEventListener('submit', event => {
    event.preventDefault();
    const chosen = nameField.value.trim();
    if (!chosen) return;
    remember(chosen);
    if (socket?.readyState === WebSocket.OPEN) socket.send(`/name ${chosen}`);
    else if (!socket) connect();
    askName(false);
    showPeople();
    textField.focus();
  });

  composer.addEventListener('submit', event => {
    event.preventDefault();
    const text = textField.value.trim();
    if (!text || socket?.readyState !== WebSocket.OPEN) return;
    const renamed = /^\/name\s+(\S.*)/.exec(text);
    if (renamed) remember(renamed[1].slice(0, 24));
    socket.send(text);
    textField.value = '';
    scrollToEnd();
  });

  element('change-name').addEventListener('click', () => {
    askName(true);
    nameField.select();
  });
  element('name-cancel').addEventListener('click', () => askName(false));
  nameField.addEventListener('keydown', event => {
    if (event.key === 'Escape' && socket) askName(false);
  });
  element('newer').addEventListener('click', scrollToEnd);
  messages.addEventListener('scroll', () => {
    if (messages.clientHeight !== height) return;  // resized, not scrolled by the user
    atEnd = messages.scrollHeight - messages.scrollTop - height < 60;
    if (atEnd) element('newer').hidden = true;
  });
  new ResizeObserver(() => {
    height = messages.clientHeight;
    if (atEnd) scrollToEnd();
  }).observe(messages);
  element('retry').addEventListener('click', retryNow);
  addEventListener('online', retryNow);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    unread = 0;
    document.title = 'wsio demo';
    retryNow();
  });

  askName(!name);
  if (name) connect();
})();
