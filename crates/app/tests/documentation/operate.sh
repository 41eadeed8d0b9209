# Somebody to do something to, and the recovery key that the first start printed.
mkdir -p resources
export CARLA_PASSWORD='correct horse battery 4711' PAYMENTS_SECRET=x9Gm3uLr0PqZ7vTnB5sKdWc2YhJfEa8i
echo "$CARLA_PASSWORD" >carla.password
sed -n '/^Recovery key/,/^The seal file/p' server.log | sed -n 's/^    //p' >recovery.key
cat >given.yaml <<'END'
kind: service
name: inventory
---
kind: client
name: payments-program
authentication: client_secret_basic
secrets: ["${PAYMENTS_SECRET}"]
grants: [client_credentials]
services: [inventory]
---
kind: client
name: shop-web
redirect_uris: ["http://127.0.0.1/callback"]
trust: first-party
grants: [authorization_code]
scopes: [openid]
services: [inventory]
---
kind: person
name: carla
password: ${CARLA_PASSWORD}
END
command durward apply -f given.yaml
command durward token --client shop-web --person carla --password-file carla.password
