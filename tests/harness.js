// What the tests that run programs share: cases with one line of result each, and programs that are started and stopped.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const binaries = process.env.WSIO_BIN_DIR;
if (!binaries) throw new Error('WSIO_BIN_DIR must name the folder of the built programs');

let passed = 0, failed = 0, finished = false;
const running = new Set();
process.on('exit', code => {
  for (const child of running) child.kill('SIGKILL');
  // Node ends with 0 when nothing is left that it could wait for, though a part still waits.
  if (!finished && !code) {
    console.log('FAIL the test: it ended before its end');
    process.exitCode = 1;
  }
});

// Runs one case, which fails by throwing, and prints its result.
async function test(name, run) {
  try {
    await within(60000, run());
    ++passed;
    console.log(`ok   ${name}`);
  } catch (error) {
    ++failed;
    const why = String(error?.message ?? error).trim();
    console.log(`FAIL ${name}: ${why.slice(0, 1500).replaceAll('\n', '\n     ')}`);
  }
}

// Runs cases, given as [name, run], `parallel` at a time.
async function testAll(cases, parallel) {
  const queue = [...cases];
  const worker = async () => {
    for (let next; (next = queue.shift());) await test(...next);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

// Runs the parts of a test, one after the other, prints the count and ends the process. What is thrown outside of a case fails
// as well, and ends its part alone.
async function main(...parts) {
  for (const part of parts)
    try {
      await part();
    } catch (error) {
      await test(part.name || 'the test', () => { throw new Error(`outside of a case: ${error?.stack ?? error}`); });
    }
  finished = true;
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(passed && !failed ? 0 : 1);
}

function within(milliseconds, promise, what = 'the case') {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Waits until `probe` gives something true, and gives that.
async function until(what, probe, milliseconds = 10000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

// Runs a program; gives what it printed, and `ended`, a promise of its exit code (or the signal that killed it).
function run(command, args = [], options = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  running.add(child);
  const program = { child, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', text => { program.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', text => { program.stderr += text; });
  child.stdin.on('error', () => {});
  program.ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal);
    });
  });
  program.ended.catch(() => {});
  return program;
}

// Gives a port of 127.0.0.1 for a program that cannot choose one itself: below those that the system gives to connections and to
// servers that ask for any, or one of them might take it before the program does.
async function freePort() {
  const [lowest] = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'ascii').match(/\d+/).map(Number);
  for (let tries = 0; tries < 100; ++tries) {
    const port = 10000 + Math.floor(Math.random() * (Math.max(lowest, 12000) - 10000));
    const server = net.createServer();
    const free = await new Promise(resolve => server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)));
    if (!free) continue;
    await new Promise(resolve => server.close(resolve));
    return port;
  }
  throw new Error('no port is free');
}

// Gives the path of a program of the build: an example, or one built elsewhere in the build folder.
function binary(name) {
  return name.includes('/') ? path.join(process.env.WSIO_BUILD_DIR, name) : path.join(binaries, name);
}

// Starts a server on a free port of this machine and waits until it says where it listens.
async function serve(name, ...args) {
  const server = run(binary(name), ['--host', '127.0.0.1', '--port', '0', ...args]);
  const ended = server.ended.then(code => { throw new Error(`${name} ended with ${code}: ${server.stderr}`); });
  const listening = until(`${name} to listen`, () => /listens on .*:(\d+)/.exec(server.stdout));
  listening.catch(() => {});
  server.port = Number((await Promise.race([listening, ended]))[1]);
  ended.catch(() => {});
  server.url = `ws://127.0.0.1:${server.port}`;
  server.stop = (signal = 'SIGINT') => {
    server.child.kill(signal);
    return within(15000, server.ended, `stopping ${name}`);
  };
  return server;
}

module.exports = { main, test, testAll, until, within, run, freePort, binary, serve };
