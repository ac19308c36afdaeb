-- load.lua - what wrk asks for:  wrk ... -s load.lua URL -- same | json | pipeline DEPTH | users, pages or posts COUNT
--
-- same asks for the URL; json too, as JSON; pipeline sends DEPTH requests for it at a time; users asks for /users/ID as JSON,
-- with IDs drawn from 1 to COUNT; pages does so too, but as HTML; posts sends each of them a post. At the end it prints a line of
-- JSON.

local requests, turn = {}, 0

function init(args)
    local kind, number = args[1], tonumber(args[2])
    if kind == "pipeline" then
        requests[1] = string.rep(wrk.format(), number)
    elseif kind == "users" or kind == "pages" then
        local accept = { users = "application/json", pages = "text/html" }
        for i = 1, 1000 do
            requests[i] = wrk.format("GET", "/users/" .. math.random(number), { Accept = accept[kind] })
        end
    elseif kind == "posts" then
        local headers = { Accept = "application/json", ["Content-Type"] = "application/json" }
        local body = '{"title":"A measured post","body":"' .. string.rep("lorem ipsum dolor ", 12) .. '"}'
        for i = 1, 1000 do
            requests[i] = wrk.format("POST", "/users/" .. math.random(number) .. "/posts", headers, body)
        end
    elseif kind == "json" then
        requests[1] = wrk.format(nil, nil, { Accept = "application/json" })
    else
        requests[1] = wrk.format()
    end
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\n{"requests": %d, "microseconds": %d, "p50": %.3f, "p99": %.3f, "errors": %d}\n',
        summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        e.connect + e.read + e.write + e.status + e.timeout))
end
