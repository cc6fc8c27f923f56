'use strict';
// npm postinstall: fetches the prebuilt program for this platform
const fs = require('fs');
const https = require('https');
const path = require('path');
const zlib = require('zlib');
const { version } = require('./package.json');

const target = `${process.platform}-${process.arch}`;
const url = `https://github.com/example/meet-recorder/releases/download/v${version}/recorder-${target}.gz`;
const out = path.join(__dirname, 'bin', process.platform === 'win32' ? 'recorder.exe' : 'recorder');

function get(from, cb) {
  https.get(from, (res) => {
    if (res.statusCode === 302) return get(res.headers.location, cb);
    if (res.statusCode !== 200) throw new Error(`${from}: ${res.statusCode}`);
    cb(res);
  });
}

fs.mkdirSync(path.dirname(out), { recursive: true });
get(url, (res) => res.pipe(zlib.createGunzip()).pipe(fs.createWriteStream(out, { mode: 0o755 })));
