-- Sends the requests of the file TOKENS in turn and compares every answer with
-- what the file says of it. A line: status TAB what the answer shows TAB token.

local cases = {}

local threads = {}
function setup(thread)
   thread:set("offset", #threads * 7)
   threads[#threads + 1] = thread
end

function init()
   sent, answered, wrong, passed, first_wrong = offset, 0, 0, 0, ""
   for line in io.lines(os.getenv("TOKENS")) do
      local status, shown, token = line:match("^(%d+)\t([^\t]*)\t(.*)$")
      -- The gateway hands X-Expect back: answers do not tell their requests.
      local headers = { ["X-Expect"] = status .. " " .. shown }
      if token ~= "" then
         headers["Authorization"] = "Bearer " .. token
      end
      cases[#cases + 1] = wrk.format("GET", "/patients/17", headers)
   end
end

function request()
   sent = sent + 1
   return cases[sent % #cases + 1]
end

function response(status, headers)
   answered = answered + 1
   local expected, shown = (headers["X-Expected"] or ""):match("^(%d+) (.*)$")
   -- nginx hands on a 401's challenge as it came, in lower case.
   local challenge = headers["WWW-Authenticate"] or headers["www-authenticate"]
   local text = headers["X-Seen-Subject"] or challenge or ""
   if status == 200 then
      passed = passed + 1
   end
   local is_right = tostring(status) == expected
   if status == 200 then
      is_right = is_right and text == shown
   else
      is_right = is_right and shown and text:find(shown, 1, true) ~= nil
   end
   if not is_right then
      wrong = wrong + 1
      first_wrong = string.format("%s, expected %s: %s", status, headers["X-Expected"], text)
   end
end

function done(summary, latency)
   local answered, wrong, passed = 0, 0, 0
   for _, thread in ipairs(threads) do
      answered = answered + thread:get("answered")
      wrong = wrong + thread:get("wrong")
      passed = passed + thread:get("passed")
      if thread:get("first_wrong") ~= "" then
         print("wrong verdict: " .. thread:get("first_wrong"))
      end
   end
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout
   print(string.format("load answered=%d passed=%d wrong=%d failed=%d per_second=%.0f p50_us=%d p99_us=%d",
      answered, passed, wrong, failed, answered / (summary.duration / 1e6),
      latency:percentile(50), latency:percentile(99)))
end
