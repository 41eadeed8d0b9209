# The services that the page's clients get tokens for, and the roots for who logs in from elsewhere.
printf 'kind: service\nname: shop\nscopes: [{name: shop}]\n---\nkind: service\nname: inventory\n---\nkind: service\nname: payments\n' >services.yaml
command durward apply -f services.yaml
command durward ca export -f ca.pem
PERSON=ada
