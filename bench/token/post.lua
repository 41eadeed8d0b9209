-- POST a client_credentials grant with the secret in the body. Arguments: client, secret, service.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function init(arguments)
  wrk.body = "grant_type=client_credentials&client_id=" .. arguments[1] .. "&client_secret=" .. arguments[2] .. "&resource=" .. arguments[3]
end
