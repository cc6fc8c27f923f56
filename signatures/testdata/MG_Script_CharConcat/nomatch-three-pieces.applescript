do shell script "a" & "b" & "c"
