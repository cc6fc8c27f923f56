do shell script "osacompile -o ~/Library/lib.scpt lib.applescript"
set lib to load script (POSIX file "/Library/lib.scpt")
