-- Ask for tokens and keep them, one a line. Arguments: the file, base64 of client:secret.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "grant_type=client_credentials&resource=shop"
local file
function init(arguments)
  file = io.open(arguments[1], "w")
  file:setvbuf("line")
  wrk.headers["Authorization"] = "Basic " .. arguments[2]
end
function response(status, headers, body)
  local token = body:match('"access_token":"([^"]*)"')
  if token then file:write(token, "\n") end
end
