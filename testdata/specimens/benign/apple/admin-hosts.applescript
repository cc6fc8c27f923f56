-- adds a host for local development, asks for the administrator's password through the system
set entry to "127.0.0.1 app.local.example.com"
do shell script "grep -q " & quoted form of entry & " /etc/hosts || echo " & quoted form of entry & " >> /etc/hosts" with administrator privileges
