-- GET 8,000 times a second: each of 64 connections waits between two requests, for 7.5 ms on average and never in step with the others.
function delay()
  return math.random(0, 15)
end
