-- Publishes: POSTs the file of the first argument, with another mark in each, and writes a line for every answer:
-- `201 NUMBER MARK` for a version that was acknowledged, the status and the body for anything else. The second argument
-- is a number to draw from; the third begins the marks of this run. At the end, what wrk.lua writes.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "wrk.lua")

local before, after, run
local sent = 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   before, after = file:read("*a"):match("^(.*)@mark@(.*)$")
   file:close()
   math.randomseed(tonumber(args[2]))
   run = args[3]
end

function request()
   sent = sent + 1
   local mark = string.format("%s-%d-%08x", run, sent, math.random(0, 0x7fffffff))
   return wrk.format("POST", nil, nil, before .. mark .. after)
end

function response(status, headers, body)
   if status == 201 then
      io.write("201 ", body:match('"version":"([%d.]+)"'), " ", body:match("Change (%S+)%."), "\n")
   else
      io.write(status, " ", body:sub(1, 500):gsub("\n", " "), "\n")
   end
end
