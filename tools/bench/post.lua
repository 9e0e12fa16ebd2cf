-- POST the lines of the file of the first argument in turn, starting after the number in the second argument.

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
