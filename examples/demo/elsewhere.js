// "Join from elsewhere": fills this server's address into the commands and lets them be copied.
(() => {
  'use strict';

  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const known = {
    ws: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`,
    origin: location.origin,
    host: location.host,
    hostname: location.hostname.replace(/^\[|\]$/g, ''),
    port,
  };
  const fill = element => { element.textContent = element.textContent.replace(/\{(\w+)\}/g, (all, key) => known[key] ?? all); };

  for (const code of document.querySelectorAll('#ways code')) {
    fill(code);
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', `Copy: ${code.closest('li').querySelector('h3').textContent}`);
    button.addEventListener('click', async () => {
      button.textContent = await copy(code) ? 'Copied' : 'Marked';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    code.after(button);
  }

  // The clipboard is there on https and localhost only; elsewhere the text is marked and copied in the old way.
  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(code);
      return document.execCommand('copy');
    }
  }

  const local = document.getElementById('local-only');
  fill(local);
  local.hidden = !/^(localhost|127\..*|\[::1\])$/.test(location.hostname);
  // Plain TCP does not get through TLS.
  if (location.protocol === 'https:') document.getElementById('way-hixie').closest('li').hidden = true;
})();
