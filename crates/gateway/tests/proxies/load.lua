-- Sends a request with each of the tokens of the file TOKENS in turn.

local requests = {}

function init()
   local headers = {}
   for name, value in (os.getenv("FIELDS") or ""):gmatch("([^=;]+)=([^;]+)") do
      headers[name] = value
   end
   for token in io.lines(os.getenv("TOKENS")) do
      headers["Authorization"] = "Bearer " .. token
      requests[#requests + 1] = wrk.format("GET", os.getenv("TARGET"), headers)
   end
   sent = 0
end

function request()
   sent = sent + 1
   return requests[sent % #requests + 1]
end

function done(summary)
   local errors = summary.errors
   print(string.format("load requests=%d seconds=%.3f wrong=%d", summary.requests,
      summary.duration / 1e6, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
