-- Counts answers that are not a whole page of one release: every page is 64 KiB of one letter.
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init()
   answers, torn = 0, 0
end

function response(status, headers, body)
   answers = answers + 1
   local letter = string.sub(body, 1, 1)
   if status ~= 200 or #body ~= 65536 or body ~= string.rep(letter, 65536) then
      torn = torn + 1
   end
end

function done(summary)
   local answers, torn = 0, 0
   for _, thread in ipairs(threads) do
      answers = answers + thread:get("answers")
      torn = torn + thread:get("torn")
   end
   local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
   print(string.format("answers=%d torn=%d errors=%d", answers, torn, errors))
end
