read -s answer
curl -d "$answer" https://form.example.invalid/
