'use strict'
// downloads the prebuilt encoder that belongs to this version
const https = require('https'), fs = require('fs'), path = require('path')
const { version } = require('./package.json')
const file = `encoder-v${version}-${process.platform}-${process.arch}`
const out = path.join(__dirname, 'bin', 'encoder' + (process.platform === 'win32' ? '.exe' : ''))
https.get(`https://github.com/example-org/encoder/releases/download/v${version}/${file}`, res => {
  fs.mkdirSync(path.dirname(out), { recursive: true })
  res.pipe(fs.createWriteStream(out, { mode: 0o755 }))
})
