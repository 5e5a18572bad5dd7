-- As wrk.lua, but hardly any request is like another one: of a million targets, from 100 user agents.
dofile((debug.getinfo(1).source:sub(2):gsub("[^/]*$", "")) .. "wrk.lua")

local HEAD = "GET /varied/%d/item HTTP/1.1\r\nHost: %s\r\nUser-Agent: agent/1.%d\r\nAccept: */*\r\n"

function request()
  local head = HEAD:format(math.random(1000000), wrk.headers["Host"], math.random(100))
  local authorization = wrk.headers["Authorization"]
  if authorization then head = head .. "Authorization: " .. authorization .. "\r\n" end
  return head .. "\r\n"
end
