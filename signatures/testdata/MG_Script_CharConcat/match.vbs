Set s = CreateObject("W"&"S"&"cript.Shell")
mg-layer join
WScript.Shell
mshta
