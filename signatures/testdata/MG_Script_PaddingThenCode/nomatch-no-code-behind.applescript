do shell script "date"
mg-blank 60
-- end of file
