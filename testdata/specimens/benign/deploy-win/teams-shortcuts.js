// logon script: puts the links of the team's rooms on the desktop
var shell = new ActiveXObject("WScript.Shell");
var desktop = shell.SpecialFolders("Desktop");
var rooms = { "Stand-up": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_a1", "Support": "https://zoom.us/j/5551234567" };
for (var name in rooms) {
  var link = shell.CreateShortcut(desktop + "\\" + name + ".url");
  link.TargetPath = rooms[name];
  link.Save();
}
