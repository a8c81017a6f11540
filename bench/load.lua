-- The requests of the benchmarks, for wrk. Arguments: get | close | post BYTES | cookies FILE [METHOD [JSON]] | browse FILE [METHOD] | begin FILE N | clients N
-- `browse` sends each cookie once, and then the one that the answer set in its place.
-- `begin` writes the cookie of every N-th answer to FILE.
-- `clients` are N with a session each, in turns; each takes the cookies it is given, and finds in the answers whether all
-- its requests were counted.
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

-- The requests of N clients. Answers say in X-Client whose they are, and {"n":…} in the body.
local function clients(n)
  local cookies, counts, next_one = {}, {}, 0
  wrong = 0
  for i = 1, n do
    counts[i] = 0
  end
  request = function()
    next_one = next_one % n + 1
    wrk.headers["X-Client"] = next_one
    wrk.headers["Cookie"] = cookies[next_one]
    return wrk.format("POST")
  end
  response = function(_, headers, body)
    local i = tonumber(headers["X-Client"])
    if not i then
      wrong = wrong + 1
      return
    end
    counts[i] = counts[i] + 1
    local cookie = headers["Set-Cookie"]
    if cookie then
      cookies[i] = cookie:match("^[^;]+")
    end
    if tonumber(body:match("%d+")) ~= counts[i] then
      wrong = wrong + 1
    end
  end
end

function init(args)
  local kind = args[1]
  if kind == "post" then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(args[2]))
  elseif kind == "close" then
    wrk.headers["Connection"] = "close"
  elseif kind == "clients" then
    clients(tonumber(args[2]))
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
    wrk.method = args[3] or wrk.method
    if args[4] then
      wrk.body = args[4]
      wrk.headers["Content-Type"] = "application/json"
    end
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
    wrk.method = args[3] or wrk.method
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
  local wrong_ones = 0
  for _, thread in ipairs(threads) do
    wrong_ones = wrong_ones + (thread:get("wrong") or 0)
  end
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "errors": %d, "wrong": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout, wrong_ones))
end
