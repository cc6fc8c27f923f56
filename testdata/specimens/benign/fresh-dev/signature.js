// endpoint that signs a join request for the Meeting SDK
const KJUR = require('jsrsasign')
const express = require('express')
const app = express()
app.post('/', express.json(), (req, res) => {
  const iat = Math.floor(Date.now() / 1000) - 30
  const payload = { sdkKey: process.env.ZOOM_SDK_KEY, mn: req.body.meetingNumber, role: req.body.role, iat, exp: iat + 7200 }
  res.json({ signature: KJUR.jws.JWS.sign('HS256', JSON.stringify({ alg: 'HS256', typ: 'JWT' }), JSON.stringify(payload), process.env.ZOOM_SDK_SECRET) })
})
app.listen(4000)
