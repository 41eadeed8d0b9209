# The administrator who logs in from elsewhere.
PERSON=ada
echo 'correct horse battery 4711' >ada.password
printf 'kind: person\nname: ada\nroles: [durward-admin]\npassword: file:ada.password\n' >ada.yaml
command durward apply -f ada.yaml
command durward ca export -f ca.pem
