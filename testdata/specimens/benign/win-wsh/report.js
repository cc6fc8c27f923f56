// Windows Script Host: writes a report of free disk space
var fso = new ActiveXObject("Scripting.FileSystemObject");
var out = fso.CreateTextFile("disks.csv", true);
for (var e = new Enumerator(fso.Drives); !e.atEnd(); e.moveNext()) {
  var d = e.item();
  if (d.IsReady) out.WriteLine(d.DriveLetter + "," + d.FreeSpace + "," + d.TotalSize);
}
out.Close();
WScript.Echo("written");
