-- An HAProxy action that sends a subrequest to claimgate-gateway. If the status of the response is 200, it sets
-- the variable txn.claimgate. HAProxy continues with a request after an error in a script, so haproxy.cfg must
-- deny requests without this variable.

local gateway = "http://127.0.0.1:9180/check"

-- The client's header fields that the gateway reads: the token's, and those of DPoP and CORS.
local asked = {
   "authorization", "dpop", "origin", "access-control-request-method",
   -- With token_header or token_cookie:
   -- "x-access-token",
   -- "cookie",
}

-- The header fields that are set for the application: those of [headers] in gateway.toml, and the token's,
-- which is empty unless pass_token is set.
local shown = {
   "x-auth-subject", "x-auth-scope", "x-auth-issuer", "x-auth-client", "x-auth-roles",
   "authorization", "dpop",
   -- With token_header or token_cookie:
   -- "x-access-token",
   -- "cookie",
}

-- Returns the values of a header field, with indices from 1. HAProxy's start at 0 or 1.
local function values(headers, name)
   local all = {}
   local found = headers[name]
   if found ~= nil then
      local index = found[0] ~= nil and 0 or 1
      while found[index] ~= nil do
         all[#all + 1] = found[index]
         index = index + 1
      end
   end
   return all
end

local function refuse(txn, status, headers)
   local reply = txn:reply({ status = status })
   for _, challenge in ipairs(values(headers, "www-authenticate")) do
      reply:add_header("WWW-Authenticate", challenge)
   end
   reply:add_header("Cache-Control", "no-store")
   txn:done(reply)
end

core.register_action("claimgate", { "http-req" }, function(txn)
   local target = txn.f:pathq()
   if target == nil or target == "" then
      refuse(txn, 403, {})
      return
   end
   local client = txn.http:req_get_headers()
   local headers = {
      ["x-original-method"] = { txn.f:method() },
      ["x-original-uri"] = { target },
   }
   for _, name in ipairs(asked) do
      local all = values(client, name)
      if #all > 0 then
         headers[name] = all
      end
   end
   local answer = core.httpclient():get({ url = gateway, headers = headers, timeout = 2000 })
   if answer == nil or answer.status ~= 200 then
      local status = answer and answer.status or 0
      if status < 400 or status > 599 then
         status = 503
      end
      refuse(txn, status, answer and answer.headers or {})
      return
   end
   for _, name in ipairs(shown) do
      txn.http:req_del_header(name)
      local value = values(answer.headers, name)[1]
      if value ~= nil and value ~= "" then
         txn.http:req_set_header(name, value)
      end
   end
   -- The last statement, so that no error can follow.
   txn:set_var("txn.claimgate", true)
end, 0)
