# The services that the page's clients get tokens for, its secrets, and the roots for who logs in from elsewhere.
printf 'kind: service\nname: shop\nscopes: [{name: shop}]\n---\nkind: service\nname: inventory\n---\nkind: service\nname: payments\n' >services.yaml
command durward apply -f services.yaml
command durward ca export -f ca.pem
export PAYMENTS_SECRET
PAYMENTS_SECRET=$(openssl rand -hex 32)
echo "$PAYMENTS_SECRET" >payments.secret
echo 'correct horse battery 4711' | tee carla.password >ada.password
PERSON=ada
