# The role that the page's policy names.
printf 'kind: role\nname: clerk\n' >roles.yaml
command durward apply -f roles.yaml
