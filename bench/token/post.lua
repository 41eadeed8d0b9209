-- POST a client_credentials grant with HTTP Basic client authentication. Arguments: base64 of client:secret, service.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function init(arguments)
  wrk.headers["Authorization"] = "Basic " .. arguments[1]
  wrk.body = "grant_type=client_credentials&resource=" .. arguments[2]
end
