-- Arguments: METHOD BODY_BYTES ["Name: value" ...]. The summary is one line of JSON.
-- Unless a field holds {n}, which stands for a number that changes, there is no `request` function: wrk then formats the request once and
-- runs no Lua while it measures.

local VARIANTS = 256
local variants = {}
local next_variant = 0

function init(args)
  wrk.method = args[1]
  local bytes = tonumber(args[2])
  if bytes > 0 then
    wrk.body = string.rep("x", bytes)
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
  for index = 3, #args do
    local name, value = args[index]:match("^([^:]+):%s*(.*)$")
    wrk.headers[name] = value
  end
  for name, value in pairs(wrk.headers) do
    if value:find("{n}", 1, true) then vary(name, value) end
  end
end

function vary(name, value)
  for index = 1, VARIANTS do
    wrk.headers[name] = value:gsub("{n}", tostring(99 + index))
    variants[index] = wrk.format()
  end
  function request()
    next_variant = next_variant % VARIANTS + 1
    return variants[next_variant]
  end
end

function done(summary)
  local e = summary.errors
  io.write(string.format(
    '\nsummary {"requests":%d,"microseconds":%d,"bytes":%.0f,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))
end
