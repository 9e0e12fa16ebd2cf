-- POSTs the lines of the file of the first argument in turn, from the one after the number in the second. At the end,
-- what wrk.lua writes.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "wrk.lua")

local prepared, last = {}, 0

function init(args)
   for line in io.lines(args[1]) do
      prepared[#prepared + 1] = wrk.format("POST", nil, nil, line)
   end
   last = tonumber(args[2])
end

function request()
   last = last % #prepared + 1
   return prepared[last]
end
