// writes the signature with the personal Teams link
var fso = new ActiveXObject("Scripting.FileSystemObject");
var sh = new ActiveXObject("WScript.Shell");
var dir = sh.ExpandEnvironmentStrings("%APPDATA%") + "\\Microsoft\\Signatures";
var f = fso.CreateTextFile(dir + "\\corp.htm", true);
f.WriteLine("<p>Book a call: <a href=\"https://outlook.office.com/bookwithme/me\">Teams</a></p>");
f.Close();
