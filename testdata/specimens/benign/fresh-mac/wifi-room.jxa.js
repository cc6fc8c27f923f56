#!/usr/bin/env osascript -l JavaScript
// Shows which access point the meeting room Mac uses
const app = Application.currentApplication();
app.includeStandardAdditions = true;
const out = app.doShellScript("/usr/sbin/system_profiler SPAirPortDataType | awk -F': ' '/Current Network/{getline; print $1}'");
app.displayNotification(out.trim(), {withTitle: "Wi-Fi"});
