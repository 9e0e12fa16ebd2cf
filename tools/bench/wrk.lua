-- With a file as first argument: send its requests in turn (a line is a target), starting after the number in the
-- second argument. Without: send the request of the command line. Prints the measurements as one line of JSON.

local prepared, last = {}, 0

function init(args)
   if not args[1] then return end
   for line in io.lines(args[1]) do
      prepared[#prepared + 1] = wrk.format("GET", line)
   end
   last = tonumber(args[2])
   request = function()
      last = last % #prepared + 1
      return prepared[last]
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format(
      '\n{"requests":%d,"seconds":%f,"failed":%d,"p50_us":%d,"p99_us":%d}\n',
      summary.requests, summary.duration / 1e6, failed, latency:percentile(50), latency:percentile(99)
   ))
end
