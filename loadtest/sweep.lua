-- sweep.lua - what wrk asks for, and what it saw, as a line of JSON:
--
--   wrk ... -s sweep.lua URL -- get ACCEPT | post BODY

function init(args)
    if args[1] == "post" then
        wrk.method = "POST"
        wrk.body = args[2]
        wrk.headers["Content-Type"] = "application/json"
        wrk.headers["Accept"] = "application/json"
    else
        wrk.headers["Accept"] = args[2]
    end
end

function done(summary, latency)
    local e = summary.errors
    local function ms(p) return latency:percentile(p) / 1000 end
    io.write(string.format('\n{"requests": %d, "seconds": %.6f, "errors": {"connect": %d, "read": %d, "write": %d, '
        .. '"timeout": %d, "not 2xx": %d}, "latency_ms": {"p50": %.3f, "p75": %.3f, "p90": %.3f, "p99": %.3f, '
        .. '"p99.9": %.3f, "max": %.3f}}\n',
        summary.requests, summary.duration / 1e6, e.connect, e.read, e.write, e.timeout, e.status,
        ms(50), ms(75), ms(90), ms(99), ms(99.9), latency.max / 1000))
end
