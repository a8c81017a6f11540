-- The requests of the benchmarks, for wrk. Arguments: get | close | post BYTES | cookies FILE | browse FILE | begin FILE N
-- `browse` sends each cookie once, and then the one that the answer set in its place.
-- `begin` writes the cookie of every N-th answer to FILE.
function init(args)
  local kind = args[1]
  if kind == "post" then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(args[2]))
  elseif kind == "close" then
    wrk.headers["Connection"] = "close"
  elseif kind == "begin" then
    local out, every, answers = io.open(args[2], "a"), tonumber(args[3]), 0
    response = function(_, headers)
      answers = answers + 1
      local cookie = headers["Set-Cookie"]
      if cookie and answers % every == 0 then
        out:write(cookie:match("^[^;]+"), "\n")
      end
    end
  elseif kind == "cookies" then
    local requests, next_one = {}, 0
    for cookie in io.lines(args[2]) do
      wrk.headers["Cookie"] = cookie
      requests[#requests + 1] = wrk.format()
    end
    -- Only here: with a global `request`, wrk runs Lua for every request.
    request = function()
      next_one = next_one % #requests + 1
      return requests[next_one]
    end
  elseif kind == "browse" then
    local cookies, first, last = {}, 1, 0
    local function keep(cookie)
      last = last + 1
      cookies[last] = cookie
    end
    for cookie in io.lines(args[2]) do
      keep(cookie)
    end
    request = function()
      local cookie = cookies[first]
      cookies[first] = nil
      first = first + 1
      return wrk.format(nil, nil, { ["Cookie"] = cookie })
    end
    response = function(_, headers)
      keep(headers["Set-Cookie"]:match("^[^;]+"))
    end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
