// The conversation that every driver holds, for those in JavaScript; ../README.md has the rules.
// A driver makes its client and tells what happens to it: opened, received, closed, refused.
'use strict';

const [, , url, version, closer, names, subprotocol] = process.argv;

const known = {
  hello: 'hello',
  multibyte: 'h\u00e9llo \u2013 \u2603 \u{1d11e} \u65e5\u672c\u8a9e',
  bmp: 'h\u00e9llo \u2013 \u2603 \u65e5\u672c\u8a9e',  // for clients that know nothing beyond the first 65,536 characters
  long: 'x'.repeat(300),
  large: 'y'.repeat(70000),
  binary: Buffer.from([0, 255, 128, 0]),
  empty: '',
  records: Array.from({ length: 500 }, (_, i) => `{"id":${i},"name":"user${i * 7919 % 1000}","score":${i * 104729 % 10007}}`).join(),
};
const messages = names.split(',').map(name => known[name]);

let client = null;  // { send(message), close() }
let answered = 0;

function report(facts) {
  console.log(JSON.stringify(facts));
  process.exit(facts.failed ? 1 : 0);
}

setTimeout(() => report({ failed: `timed out after ${answered} of ${messages.length} messages` }), 15000);

function go() {
  if (answered < messages.length) client.send(messages[answered]);
  else if (closer === 'client') client.close();
}

module.exports = {
  url,
  version: Number(version),
  origin: process.env.ORIGIN || url.replace(/^ws:\/\/([^/]*).*/, 'http://$1'),
  subprotocol,

  opened(opened) {
    client = opened;
    go();
  },

  received(data) {
    const expected = messages[answered];
    const got = Buffer.isBuffer(expected) ? Buffer.from(data) : String(data);
    if (!Buffer.from(got).equals(Buffer.from(expected)))
      report({ failed: `message ${answered} came back as ${JSON.stringify(String(got).slice(0, 60))}` });
    ++answered;
    go();
  },

  closed(facts) {
    if (!client) report({ refused: 'closed before it was open' });
    if (answered < messages.length) report({ failed: `closed after ${answered} of ${messages.length} messages` });
    report(facts);
  },

  refused(error) {
    if (client) report({ failed: String(error?.message ?? error) });
    report({ refused: String(error?.message ?? error) });
  },
};
