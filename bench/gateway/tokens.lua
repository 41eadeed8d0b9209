-- GET with another token each time. Arguments: the file of the tokens, one a line.
local tokens, at = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do tokens[#tokens + 1] = "Bearer " .. line end
end
function request()
  at = at % #tokens + 1
  wrk.headers["Authorization"] = tokens[at]
  return wrk.format()
end
