-- POST one question over and again. Arguments: the asker's token, the question.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function init(arguments)
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  wrk.body = arguments[2]
end
