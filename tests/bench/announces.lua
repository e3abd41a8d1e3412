-- SPDX-License-Identifier: Apache-2.0
-- The announces of bench_http.py for wrk: requests are read from a file, one a line, made once, so that
-- the load generator is not the bottleneck. Arguments: the file, "close" or "keep-alive", and "once" to
-- end, in silence, when each announce was sent: stopping wrk's thread would not end its clock.
local requests, at, once = {}, 0, false

function init(args)
	local headers = { ["Host"] = "tracker", ["User-Agent"] = "bench/1",
	                  ["Accept-Encoding"] = "gzip" }
	headers["Connection"] = args[2]
	for target in io.lines(args[1]) do
		requests[#requests + 1] = wrk.format("GET", target, headers)
	end
	once = args[3] == "once"
	at = once and 0 or math.random(#requests)
end

function request()
	if once and at == #requests then
		os.exit(0)
	end
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('{"answers": %d, "bytes": %d, "seconds": %f, "errors": %d, "p99_us": %d}\n',
		summary.requests, summary.bytes, summary.duration / 1e6,
		e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
