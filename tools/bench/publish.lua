-- POST the file of the first argument, with a new marker in each request. Prints a line for each response:
-- `201 NUMBER MARKER` for an acknowledged version, status and body otherwise. The second argument is a seed; the third
-- is the prefix of the markers.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "wrk.lua")

local before, after, prefix
local sent = 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   before, after = file:read("*a"):match("^(.*)@marker@(.*)$")
   file:close()
   math.randomseed(tonumber(args[2]))
   prefix = args[3]
end

function request()
   sent = sent + 1
   local marker = string.format("%s-%d-%08x", prefix, sent, math.random(0, 0x7fffffff))
   return wrk.format("POST", nil, nil, before .. marker .. after)
end

function response(status, headers, body)
   if status == 201 then
      io.write("201 ", body:match('"version":"([%d.]+)"'), " ", body:match("Change (%S+)%."), "\n")
   else
      io.write(status, " ", body:sub(1, 500):gsub("\n", " "), "\n")
   end
end
