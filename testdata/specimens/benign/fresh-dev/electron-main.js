const { app, BrowserWindow, shell, session } = require('electron')
const { execFile } = require('child_process')
// a window for the web client of our own meeting server
app.whenReady().then(() => {
  session.defaultSession.setPermissionRequestHandler((wc, permission, cb) => cb(['media', 'display-capture'].includes(permission)))
  const w = new BrowserWindow({ width: 1200, height: 800 })
  w.loadURL('https://meet.example-corp.com/')
  w.webContents.setWindowOpenHandler(({ url }) => { shell.openExternal(url); return { action: 'deny' } })
  execFile('/usr/bin/pmset', ['-g', 'assertions'], (e, out) => console.log(out))
})
