// Reads a folder beside the page: hashes every file, and sends those that are missing, a few batches at a time.
"use strict";

const SMALL = 32 << 20; // a file up to this size is hashed by the browser in one go, where it does that
const SLICE = 4 << 20;
const BATCH = 4 << 20; // bytes of files in a batch, unless one file has more
const BATCH_FILES = 1000;
const AT_ONCE = 3;
const KIND = "application/vnd.homeport.contents";
const PACKED = /\.(7z|avif|br|bz2|flac|gif|gz|heic|jpe?g|jxl|m4[av]|mkv|mov|mp[34]|ogg|opus|png|rar|tgz|web[mp]|woff2?|xz|zip|zst)$/i;

let files = [];
let names = [];

onmessage = async ({ data }) => {
  try {
    if (data.files) {
      files = data.files;
      postMessage({ hashed: await hashAll() });
    } else postMessage({ sent: await sendAll(new Set(data.missing)) });
  } catch (why) {
    postMessage({ failed: why.problem ?? null, unreadable: why.unreadable ?? null });
  }
};

// ---------------------------------------------------------------- hashing

async function hashAll() {
  names = new Array(files.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < files.length) {
      const at = next++;
      names[at] = await hash(files[at]).catch(() => {
        throw Object.assign(new Error(), { unreadable: files[at].name });
      });
      postMessage({ hashing: (done += files[at].size) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return names;
}

// Without https a browser has no hashing of its own, and it never has any that takes a file bit by bit.
async function hash(file) {
  if (file.size <= SMALL && self.crypto?.subtle) return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
  const sum = new Sha256();
  for (let at = 0; at < file.size; at += SLICE) sum.add(new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer()));
  return hex(sum.end());
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

// The constants of FIPS 180-4: the first 32 bits of what follows the point in square and cube roots of the primes.
const primes = [];
for (let number = 2; primes.length < 64; number++) if (primes.every((prime) => number % prime)) primes.push(number);
const BEGIN = primes.slice(0, 8).map((prime) => ((prime ** 0.5 % 1) * 2 ** 32) | 0);
const ROUND = new Int32Array(primes.map((prime) => root(prime)));

// Cube roots come out of floating point a bit short, so they are worked out in whole numbers.
function root(prime) {
  const wanted = BigInt(prime) << 96n;
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** 3n <= wanted) low = middle;
    else high = middle;
  }
  return Number(BigInt.asIntN(32, low));
}

class Sha256 {
  state = new Int32Array(BEGIN);
  left = new Uint8Array(64);
  held = 0;
  length = 0;
  words = new Int32Array(64);

  add(bytes) {
    this.length += bytes.length;
    let at = 0;
    if (this.held) {
      at = Math.min(64 - this.held, bytes.length);
      this.left.set(bytes.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return;
      this.block(this.left, 0);
      this.held = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) this.block(bytes, at);
    this.left.set(bytes.subarray(at));
    this.held = bytes.length - at;
  }

  end() {
    const bits = this.length * 8;
    const tail = new Uint8Array(this.held < 56 ? 64 : 128);
    tail.set(this.left.subarray(0, this.held));
    tail[this.held] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    for (let at = 0; at < tail.length; at += 64) this.block(tail, at);
    const out = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, at) => out.setInt32(at * 4, word));
    return new Uint8Array(out.buffer);
  }

  block(bytes, at) {
    const w = this.words;
    for (let i = 0; i < 16; i++, at += 4) w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this.state;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (this.state[i] += word));
  }
}

// ---------------------------------------------------------------- sending

async function sendAll(missing) {
  const first = new Map();
  names.forEach((name, at) => missing.has(name) && !first.has(name) && first.set(name, at));
  const batches = batched([...first.values()]);
  const sent = new Map();
  const told = (batch, bytes) => {
    sent.set(batch, bytes);
    postMessage({ sending: [...sent.values()].reduce((a, b) => a + b, 0) });
  };
  const work = async () => {
    for (let batch; (batch = batches.pop()); ) await send(batch, told);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return first.size;
}

function batched(those) {
  const batches = [];
  for (const packed of [false, true]) {
    let batch = [];
    let room = BATCH;
    for (const at of those) {
      if (PACKED.test(files[at].name) !== packed) continue;
      if (batch.length && (files[at].size > room || batch.length === BATCH_FILES)) {
        batches.push(batch);
        [batch, room] = [[], BATCH];
      }
      batch.push(at);
      room -= files[at].size;
    }
    if (batch.length) batches.push(batch);
  }
  return batches;
}

// Each content: 32 bytes of its SHA-256, 8 of its size, and its bytes.
async function send(batch, told) {
  const parts = batch.flatMap((at) => {
    const head = new DataView(new ArrayBuffer(40));
    for (let i = 0; i < 32; i++) head.setUint8(i, parseInt(names[at].slice(i * 2, i * 2 + 2), 16));
    head.setBigUint64(32, BigInt(files[at].size));
    return [head, files[at]];
  });
  const plain = new Blob(parts);
  const size = batch.reduce((sum, at) => sum + files[at].size, 0);
  const pack = self.CompressionStream && plain.size <= 2 * BATCH && !PACKED.test(files[batch[0]].name);
  const body = pack ? await new Response(plain.stream().pipeThrough(new CompressionStream("gzip"))).blob() : plain;
  await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const no = (problem) => reject(Object.assign(new Error(), { problem }));
    request.upload.onprogress = (event) => told(batch, (event.loaded / event.total) * size);
    request.onload = () => {
      if (request.status !== 201) return no(parsed(request.responseText) ?? { detail: `The answer was ${request.status}.` });
      told(batch, size);
      resolve();
    };
    request.onerror = () => no(null);
    request.open("POST", "/api/v1/contents");
    request.setRequestHeader("Content-Type", KIND);
    if (pack) request.setRequestHeader("Content-Encoding", "gzip");
    request.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
