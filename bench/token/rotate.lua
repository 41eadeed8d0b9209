-- POST refresh_token grants of a public client whose tokens rotate: each answer's token is a later request's. Arguments: the file of the first tokens, the client.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
local tokens, first, last, client = {}, 1, 0, ""
function init(arguments)
  for line in io.lines(arguments[1]) do last = last + 1; tokens[last] = line end
  client = arguments[2]
end
function request()
  local token = tokens[first] or ""
  tokens[first] = nil
  first = first + 1
  return wrk.format(nil, nil, nil, "grant_type=refresh_token&client_id=" .. client .. "&refresh_token=" .. token)
end
function response(status, headers, body)
  last = last + 1
  tokens[last] = body:match('"refresh_token":"([^"]*)"')
end
