-- POST what a file says, line by line and over again: a body and, behind a tab, a DPoP proof. Arguments: the file, base64 of client:secret if any.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
local lines, at = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do lines[#lines + 1] = line end
  if arguments[2] then wrk.headers["Authorization"] = "Basic " .. arguments[2] end
end
function request()
  at = at % #lines + 1
  local body, proof = lines[at]:match("^([^\t]*)\t?(.*)$")
  if proof ~= "" then wrk.headers["DPoP"] = proof end
  return wrk.format(nil, nil, nil, body)
end
