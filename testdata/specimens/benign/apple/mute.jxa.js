#!/usr/bin/env osascript -l JavaScript
function run() {
  const se = Application('System Events')
  const zoom = se.processes.byName('zoom.us')
  zoom.menuBars[0].menuBarItems.byName('Meeting').menus[0].menuItems[0].click()
}
