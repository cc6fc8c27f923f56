-- FasdUAS sysoexec
do shell script "curl "
